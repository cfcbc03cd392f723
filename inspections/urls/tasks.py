from django.urls import path

from inspections.views import swaps, tasks

urlpatterns = [
    path("tasks/", tasks.task_list, name="task_list"),
    path("tasks/<uuid:pk>/", tasks.task_detail, name="task_detail"),
    path("tasks/<uuid:pk>/items/<int:item>/", tasks.task_item, name="task_item"),
    path("tasks/<uuid:pk>/officers/", swaps.task_officers, name="task_officers"),
    path("tasks/<uuid:pk>/sign/", tasks.task_sign, name="task_sign"),
    path("tasks/<uuid:pk>/submit/", tasks.task_submit, name="task_submit"),
    path("tasks/<uuid:pk>/filing/", tasks.task_filing, name="task_filing"),
    path("tasks/photos/<uuid:pk>", tasks.photo, name="photo"),
    path("tasks/signatures/<int:pk>", tasks.signature, name="signature"),
]
