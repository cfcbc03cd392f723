from django.urls import path

from inspections.api import tasks

app_name = "api"

urlpatterns = [
    path("tasks/<uuid:task>", tasks.task_state, name="task"),
    path("tasks/<uuid:task>/answers/<uuid:answer>", tasks.task_answer, name="task_answer"),
    path("tasks/<uuid:task>/photos/<uuid:photo>", tasks.task_photo, name="task_photo"),
]
