"""Who gets what at every address: one line an address, one column a persona (access_world.PERSONAS).

200, 286 and 302 (to the page that follows) open it; 400, 409, 415 and 422 are what the form or the service
says to an all but empty request, and so mean "may do it". 302 for a stranger is the login page, 401 the
API's. 403: visible but not theirs to do, or not with their posts. 404: not theirs to see. /healthz tells
everybody that tests run no worker.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    route: str
    method: str
    subject: str
    statuses: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.route} {self.method} {self.subject}"


TABLE = """
# ute                                    object          ano cle hea par off tow law kee adm sec ins aud out
portal:desk                         GET  -               302 200 200 200 200 200 200 200 200 200 200 200 200
portal:notifications                GET  -               302 200 200 200 200 200 200 200 200 200 200 200 200
portal:notifications_read           POST -               302 302 302 302 302 302 302 302 302 302 302 302 302
portal:notification_read            POST notification    302 302 404 404 404 404 404 404 404 404 404 404 404
portal:open                         GET  subject         302 302 302 302 302 302 302 302 302 302 302 302 302
portal:open                         GET  unknown-subject 302 404 404 404 404 404 404 404 404 404 404 404 404
portal:styleguide                   GET  -               302 200 200 200 200 200 200 200 200 200 200 200 200
portal:healthz                      GET  -               503 503 503 503 503 503 503 503 503 503 503 503 503
portal:api_schema                   GET  -               401 200 200 200 200 200 200 200 200 200 200 200 200

# ute                                    object          ano cle hea par off tow law kee adm sec ins aud out
departments:login                   GET  -               200 302 302 302 302 302 302 302 302 302 302 302 302
departments:login                   POST -               200 302 302 302 302 302 302 302 302 302 302 302 302
departments:logout                  POST -               302 302 302 302 302 302 302 302 302 302 302 302 302
departments:change_password         GET  -               302 200 200 200 200 200 200 200 200 200 200 200 200
departments:change_password         POST -               302 422 422 422 422 422 422 422 422 422 422 422 422
departments:list                    GET  -               302 200 200 200 200 200 200 200 200 200 200 200 200
departments:detail                  GET  department      302 200 200 200 200 200 200 200 200 200 200 200 200
departments:create                  GET  -               302 403 403 403 403 403 403 403 200 403 403 403 403
departments:create                  POST -               302 403 403 403 403 403 403 403 422 403 403 403 403
departments:edit                    GET  department      302 403 403 403 403 403 403 200 200 403 403 403 403
departments:edit                    POST department      302 403 403 403 403 403 403 302 422 403 403 403 403
departments:alias_add               POST department      302 403 403 403 403 403 403 403 422 403 403 403 403
departments:alias_remove            POST alias           302 403 403 403 403 403 403 403 302 403 403 403 403
departments:officers                GET  -               302 200 200 200 200 200 200 200 200 200 200 200 200
departments:officers_export         GET  -               302 403 403 403 403 403 403 200 200 200 200 200 403
departments:import                  GET  -               302 403 403 403 403 403 403 200 200 200 403 403 403
departments:import                  POST -               302 403 403 403 403 403 403 422 422 422 403 403 403
departments:import_template         GET  -               302 403 403 403 403 403 403 200 200 200 403 403 403
departments:import_run              GET  officers-import 302 403 403 403 403 403 403 200 404 404 403 403 403
departments:import_progress         GET  officers-import 302 403 403 403 403 403 403 200 404 404 403 403 403
departments:import_faulty           GET  officers-import 302 403 403 403 403 403 403 200 404 404 403 403 403
departments:import_confirm          POST officers-import 302 403 403 403 403 403 403 302 404 404 403 403 403
departments:import_discard          POST officers-import 302 403 403 403 403 403 403 302 404 404 403 403 403
departments:import_retry            POST officers-import 302 403 403 403 403 403 403 302 404 404 403 403 403
departments:officer                 GET  officer         302 200 200 200 200 200 200 200 200 200 200 200 200
departments:officer_create          GET  -               302 403 403 403 403 403 403 200 200 200 403 403 403
departments:officer_create          POST -               302 403 403 403 403 403 403 422 422 422 403 403 403
departments:officer_edit            GET  officer         302 403 403 403 403 403 403 200 200 200 403 403 403
departments:officer_edit            POST officer         302 403 403 403 403 403 403 422 422 422 403 403 403
departments:officer_leave           GET  officer         302 403 403 403 403 403 403 200 200 200 403 403 403
departments:officer_leave           POST officer         302 403 403 403 403 403 403 422 422 422 403 403 403
departments:officer_return          GET  officer         302 403 403 403 403 403 403 200 200 200 403 403 403
departments:officer_return          POST officer         302 403 403 403 403 403 403 422 422 422 403 403 403
departments:accounts                GET  -               302 403 403 403 403 403 403 200 200 200 403 200 403
departments:account_create          GET  -               302 403 403 403 403 403 403 200 200 200 403 403 403
departments:account_create          POST -               302 403 403 403 403 403 403 422 422 422 403 403 403
departments:account_edit            GET  account         302 403 403 403 403 403 403 200 200 200 403 200 403
departments:account_edit            POST account         302 403 403 403 403 403 403 422 422 422 403 403 403
departments:account_activate        POST account         302 403 403 403 403 403 403 302 302 302 403 403 403
departments:account_deactivate      POST account         302 403 403 403 403 403 403 302 302 302 403 403 403
departments:account_reset           POST account         302 403 403 403 403 403 403 200 200 200 403 403 403
departments:post_give               POST account         302 403 403 403 403 403 403 422 422 422 403 403 403
departments:post_take               POST post            302 403 403 403 403 403 403 302 302 302 403 403 403
departments:certify                 POST account         302 403 403 403 403 403 403 422 422 422 403 403 403

# ute                                    object          ano cle hea par off tow law kee adm sec ins aud out
institutions:list                   GET  -               302 200 200 200 200 200 200 200 200 200 200 200 200
institutions:create                 GET  -               302 200 200 403 403 403 403 403 200 403 403 403 403
institutions:create                 POST -               302 422 422 403 403 403 403 403 422 403 403 403 403
institutions:export                 GET  -               302 200 200 200 200 200 200 200 200 200 200 200 200
institutions:import                 GET  -               302 200 200 403 403 403 403 403 200 403 403 403 403
institutions:import                 POST -               302 422 422 403 403 403 403 403 422 403 403 403 403
institutions:import_template        GET  -               302 200 200 403 403 403 403 403 200 403 403 403 403
institutions:import_run             GET  import          302 200 404 403 403 403 403 403 404 403 403 403 403
institutions:import_progress        GET  import          302 200 404 403 403 403 403 403 404 403 403 403 403
institutions:import_faulty          GET  import          302 200 404 403 403 403 403 403 404 403 403 403 403
institutions:import_confirm         POST import          302 302 404 403 403 403 403 403 404 403 403 403 403
institutions:import_discard         POST import          302 302 404 403 403 403 403 403 404 403 403 403 403
institutions:import_retry           POST import          302 302 404 403 403 403 403 403 404 403 403 403 403
institutions:recusals               GET  -               302 200 200 200 200 200 200 200 200 200 200 200 200
institutions:recusal_end            POST recusal         302 404 404 403 403 404 404 302 403 404 403 403 404
institutions:detail                 GET  institution     302 200 200 200 200 200 200 200 200 200 200 200 200
institutions:detail                 GET  elsewhere       302 200 200 200 200 404 404 200 200 200 200 200 200
institutions:edit                   GET  institution     302 200 200 403 403 403 403 403 200 403 403 403 403
institutions:edit                   POST institution     302 422 422 403 403 403 403 403 422 403 403 403 403
institutions:set_state              GET  institution     302 200 200 403 403 403 403 403 200 403 403 403 403
institutions:set_state              POST institution     302 422 422 403 403 403 403 403 422 403 403 403 403
institutions:merge                  GET  institution     302 200 200 403 403 403 403 403 200 403 403 403 403
institutions:merge                  POST institution     302 422 422 403 403 403 403 403 422 403 403 403 403
institutions:recusal_add            POST institution     302 403 403 403 422 403 403 422 403 403 403 403 403

# ute                                    object          ano cle hea par off tow law kee adm sec ins aud out
scenarios:list                      GET  -               302 200 200 200 200 200 200 200 200 200 200 200 200
scenarios:detail                    GET  scenario        302 200 200 200 200 200 200 200 200 200 200 200 200
scenarios:create                    GET  -               302 200 200 200 403 200 403 200 200 403 403 403 200
scenarios:create                    POST -               302 422 422 422 403 422 403 422 422 403 403 403 422
scenarios:draft_begin               POST scenario        302 302 302 403 403 403 403 403 302 403 403 403 403
scenarios:draft_edit                GET  imported        302 200 200 404 403 404 403 404 200 403 403 403 404
scenarios:draft_edit                GET  version         302 409 409 403 403 403 403 403 409 403 403 403 403
scenarios:draft_items               GET  imported        302 200 200 404 403 404 403 404 200 403 403 403 404
scenarios:draft_items               POST imported        302 422 422 404 403 404 403 404 422 403 403 403 404
scenarios:draft_rows                GET  imported        302 200 200 404 403 404 403 404 200 403 403 403 404
scenarios:draft_rows                POST imported        302 422 422 404 403 404 403 404 422 403 403 403 404
scenarios:line_edit                 GET  line            302 200 200 404 403 404 403 404 200 403 403 403 404
scenarios:line_edit                 POST line            302 422 422 404 403 404 403 404 422 403 403 403 404
scenarios:line_move                 POST line            302 302 302 404 403 404 403 404 302 403 403 403 404
scenarios:line_remove               POST line            302 302 302 404 403 404 403 404 302 403 403 403 404
scenarios:participants              GET  scenario        302 200 200 200 200 200 200 200 200 200 200 200 200
scenarios:invite                    POST scenario        302 422 422 403 403 403 403 403 422 403 403 403 403
scenarios:contact                   GET  named           302 403 403 200 403 403 403 200 200 403 403 403 403
scenarios:contact                   POST named           302 403 403 422 403 403 403 422 422 403 403 403 403
scenarios:contact                   GET  unnamed         302 404 404 404 403 404 403 404 404 403 403 403 404
scenarios:decline                   POST guest           302 403 403 302 403 403 403 302 302 403 403 403 403
scenarios:withdraw                  POST guest           302 302 302 403 403 403 403 403 302 403 403 403 403
scenarios:upload                    GET  -               302 200 200 200 403 200 403 200 200 403 403 403 200
scenarios:upload                    POST -               302 422 422 422 403 422 403 422 422 403 403 403 422
scenarios:review                    GET  upload          302 200 404 404 403 404 403 404 404 403 403 403 404
scenarios:review                    POST upload          302 422 404 404 403 404 403 404 404 403 403 403 404
scenarios:columns                   GET  upload          302 200 404 404 403 404 403 404 404 403 403 403 404
scenarios:columns                   POST upload          302 422 404 404 403 404 403 404 404 403 403 403 404
scenarios:changes                   GET  upload          302 200 404 404 403 404 403 404 404 403 403 403 404
scenarios:forget_upload             POST upload          302 302 404 404 403 404 403 404 404 403 403 403 404
scenarios:version                   GET  version         302 200 200 200 200 200 200 200 200 200 200 200 200
scenarios:version                   GET  imported        302 200 200 404 404 404 404 404 200 200 200 200 404
scenarios:publish                   POST imported        302 302 302 404 403 404 403 404 302 403 403 403 404
scenarios:discard                   POST imported        302 302 302 404 403 404 403 404 302 403 403 403 404
scenarios:source                    GET  imported        302 200 200 404 404 404 404 404 200 404 404 404 404
scenarios:retire                    GET  version         302 200 200 403 403 403 403 403 200 403 403 403 403
scenarios:retire                    POST version         302 422 422 403 403 403 403 403 422 403 403 403 403
scenarios:retire                    GET  imported        302 200 200 404 403 404 403 404 200 403 403 403 404
scenarios:version_compare           GET  version         302 200 200 200 200 200 200 200 200 200 200 200 200
scenarios:version_compare           GET  imported        302 200 200 404 404 404 404 404 200 200 200 200 404
scenarios:version_gaps              GET  version         302 200 200 200 200 200 200 200 200 200 200 200 200
scenarios:version_gaps              GET  imported        302 200 200 404 404 404 404 404 200 200 200 200 404
scenarios:gap_list                  GET  -               302 200 200 200 200 200 200 200 200 200 200 200 200
scenarios:version_print             GET  version         302 200 200 200 200 200 200 200 200 200 200 200 200
scenarios:version_print             GET  imported        302 200 200 404 404 404 404 404 200 200 200 200 404
scenarios:version_export            GET  version         302 200 200 200 200 200 200 200 200 200 200 200 200
scenarios:version_export            GET  imported        302 200 200 404 404 404 404 404 200 200 200 200 404
scenarios:item_list                 GET  -               302 200 200 200 200 200 200 200 200 200 200 200 200
scenarios:item                      GET  item            302 200 200 200 200 200 200 200 200 200 200 200 200
scenarios:item_edit                 GET  item            302 403 403 200 403 403 403 200 200 403 403 403 403
scenarios:item_edit                 POST item            302 403 403 422 403 403 403 422 422 403 403 403 403
scenarios:item_create               GET  -               302 200 200 200 403 200 403 200 200 403 403 403 200
scenarios:item_create               POST -               302 422 422 422 403 422 403 422 422 403 403 403 422
scenarios:item_export               GET  -               302 200 200 200 200 200 200 200 200 200 200 200 200
scenarios:item_retire               POST item            302 403 403 302 403 403 403 302 302 403 403 403 403
scenarios:item_restore              POST item            302 403 403 302 403 403 403 302 302 403 403 403 403
scenarios:penalty_list              GET  -               302 200 200 200 200 200 200 200 200 200 200 200 200
scenarios:penalty                   GET  penalty         302 200 200 200 200 200 200 200 200 200 200 200 200
scenarios:penalty_create            GET  -               302 200 200 200 403 200 403 200 200 403 403 403 200
scenarios:penalty_create            POST -               302 422 422 422 403 422 403 422 422 403 403 403 422
scenarios:penalty_edit              GET  penalty         302 403 403 200 403 403 403 200 200 403 403 403 403
scenarios:penalty_edit              POST penalty         302 403 403 422 403 403 403 422 422 403 403 403 403
scenarios:penalty_export            GET  -               302 200 200 200 200 200 200 200 200 200 200 200 200
scenarios:penalty_retire            POST penalty         302 403 403 302 403 403 403 302 302 403 403 403 403
scenarios:penalty_restore           POST penalty         302 403 403 302 403 403 403 302 302 403 403 403 403
scenarios:public_list               GET  -               200 200 200 200 200 200 200 200 200 200 200 200 200
scenarios:public_scenario           GET  scenario        200 200 200 200 200 200 200 200 200 200 200 200 200
scenarios:delegation_list           GET  -               302 200 200 200 200 200 200 200 200 200 200 200 200
scenarios:delegate                  GET  -               302 403 200 403 403 403 403 403 200 403 403 403 403
scenarios:delegate                  POST -               302 403 422 403 403 403 403 403 422 403 403 403 403
scenarios:change_delegation         GET  ending          302 403 200 403 403 403 403 403 200 403 403 403 403
scenarios:change_delegation         POST ending          302 403 422 403 403 403 403 403 422 403 403 403 403
scenarios:delegation_history        GET  delegated       302 200 200 200 200 200 200 200 200 200 200 200 200
scenarios:confirmation              GET  delegation      302 200 200 200 200 200 200 200 200 200 200 200 200
scenarios:delegation_export         GET  -               302 200 200 200 200 200 200 200 200 200 200 200 200
scenarios:delegation_import:import  GET  -               302 403 200 403 403 403 403 403 200 403 403 403 403
scenarios:delegation_import:import  POST -               302 403 422 403 403 403 403 403 422 403 403 403 403
scenarios:delegation_import:import_template GET  -               302 403 200 403 403 403 403 403 200 403 403 403 403
scenarios:delegation_import:import_run GET  delegations     302 403 404 403 403 403 403 403 200 403 403 403 403
scenarios:delegation_import:import_progress GET  delegations     302 403 404 403 403 403 403 403 200 403 403 403 403
scenarios:delegation_import:import_faulty GET  delegations     302 403 404 403 403 403 403 403 200 403 403 403 403
scenarios:delegation_import:import_confirm POST delegations     302 403 404 403 403 403 403 403 302 403 403 403 403
scenarios:delegation_import:import_retry POST delegations     302 403 404 403 403 403 403 403 302 403 403 403 403
scenarios:delegation_import:import_discard POST delegations     302 403 404 403 403 403 403 403 302 403 403 403 403

# ute                                    object          ano cle hea par off tow law kee adm sec ins aud out
inspections:list                    GET  -               302 200 200 200 200 200 200 200 200 200 200 200 200
inspections:launch                  GET  -               302 200 200 200 403 200 403 403 403 403 403 403 200
inspections:launch                  POST -               302 422 422 422 403 422 403 403 403 403 403 403 422
inspections:scope_count             POST -               302 200 200 200 403 200 403 403 403 403 403 403 200
inspections:scope_search            POST -               302 200 200 200 403 200 403 403 403 403 403 403 200
inspections:version_impact          GET  version         302 200 200 200 200 200 200 200 200 200 200 200 200
inspections:version_impact          GET  imported        302 200 200 404 404 404 404 404 200 200 200 200 404
inspections:detail                  GET  running         302 200 200 200 200 404 404 200 404 404 200 200 404
inspections:detail                  GET  draft           302 200 200 404 404 404 404 404 404 404 404 404 404
inspections:detail                  GET  ticking         302 200 200 200 200 404 404 200 404 404 200 200 404
inspections:edit                    GET  draft           302 200 200 404 403 404 403 403 403 403 403 403 404
inspections:edit                    POST draft           302 422 422 404 403 404 403 403 403 403 403 403 404
inspections:progress                GET  ticking         302 200 200 200 200 404 404 200 404 404 200 200 404
inspections:progress_board          GET  ticking         302 200 200 200 200 404 404 200 404 404 200 200 404
inspections:visits                  GET  draft           302 200 200 404 403 404 403 403 403 403 403 403 404
inspections:visits_take_over        POST draft           302 302 302 404 403 404 403 403 403 403 403 403 404
inspections:visits_leave_out        POST draft           302 302 302 404 403 404 403 403 403 403 403 403 404
inspections:visits_reason           POST draft           302 302 302 404 403 404 403 403 403 403 403 403 404
inspections:submit_for_approval     POST draft           302 302 302 404 403 404 403 403 403 403 403 403 404
inspections:approve                 POST awaiting        302 403 302 403 403 403 403 403 403 403 403 403 404
inspections:send_in_emergency       POST draft           302 302 302 404 403 404 403 403 403 403 403 403 404
inspections:approve_afterwards      POST ticking         302 403 302 403 403 403 403 403 403 403 403 403 404
inspections:send_back               POST awaiting        302 403 302 403 403 403 403 403 403 403 403 403 404
inspections:cancel                  POST ticking         302 302 302 403 403 404 403 403 403 403 403 403 404
inspections:close_ticking           POST ticking         302 302 302 403 403 404 403 403 403 403 403 403 404
inspections:extend_ticking          POST ticking         302 302 302 403 403 404 403 403 403 403 403 403 404
inspections:allow_late              POST ticking         302 302 302 403 403 404 403 403 403 403 403 403 404
inspections:complete                POST running         302 302 302 403 403 404 403 403 403 403 403 403 404
inspections:ticks                   GET  ticking         302 200 200 200 200 404 404 200 404 404 200 200 404
inspections:ticks_changes           GET  ticking         302 286 286 286 286 404 404 286 404 404 286 286 404
inspections:tick                    POST tick            302 403 403 302 403 404 403 403 403 403 403 403 404
inspections:tick_row                GET  tick            302 200 200 200 403 404 403 403 403 403 403 403 404
inspections:request_item            POST lead-tick       302 302 302 302 403 404 403 403 403 403 403 403 404
inspections:tick_all                POST participation   302 403 403 200 403 404 403 403 403 403 403 403 404
inspections:copy_last               POST participation   302 403 403 200 403 404 403 403 403 403 403 403 404
inspections:answer                  POST participation   302 403 403 302 403 404 403 403 403 403 403 403 404
inspections:decline                 POST participation   302 403 403 302 403 404 403 403 403 403 403 403 404
inspections:own_system              POST participation   302 403 403 302 403 404 403 403 403 403 403 403 404
inspections:rejoin                  POST participation   302 403 403 302 403 404 403 403 403 403 403 403 404
inspections:draw                    POST closed          302 302 302 403 403 404 403 403 403 403 403 403 404
inspections:sampling_strata         POST -               302 200 200 200 403 200 403 403 403 403 403 403 200
inspections:sampling_printed        POST -               302 200 200 200 403 200 403 403 403 403 403 403 200
inspections:sampling_adopt          POST -               302 200 200 200 403 200 403 403 403 403 403 403 200
inspections:draw_open               POST closed          302 302 302 403 403 404 403 403 403 403 403 403 404
inspections:draw_list               GET  -               200 200 200 200 200 200 200 200 200 200 200 200 200
inspections:draw_verifier           GET  -               200 200 200 200 200 200 200 200 200 200 200 200 200
inspections:draw_detail             GET  drawn           200 200 200 200 200 200 200 200 200 200 200 200 200
inspections:draw_detail             GET  drawn-case      404 200 200 200 200 404 404 200 404 404 200 200 404
inspections:draw_result             GET  drawn           200 200 200 200 200 200 200 200 200 200 200 200 200
inspections:draw_result             GET  drawn-case      404 200 200 200 200 404 404 200 404 404 200 200 404
inspections:draw_secrets            GET  collecting      302 200 200 200 200 404 404 200 404 404 200 200 404
inspections:draw_commit             POST collecting      302 200 200 200 403 404 403 403 403 403 403 403 404
inspections:draw_close              POST collecting      302 302 302 403 403 404 403 403 403 403 403 403 404
inspections:draw_reveal             POST collecting      302 422 422 422 403 404 403 403 403 403 403 403 404
inspections:draw_replace            POST drawn           302 403 302 403 403 403 403 403 403 403 403 403 404
inspections:generate                POST closed          302 302 302 403 403 404 403 403 403 403 403 403 404
inspections:generating              GET  running         302 286 286 286 286 404 404 286 404 404 286 286 404
inspections:generate_retry          POST closed          302 409 409 403 403 404 403 403 403 403 403 403 404
inspections:task_list               GET  -               302 200 200 200 200 200 200 200 200 200 200 200 200
inspections:task_detail             GET  task            302 200 200 200 200 404 404 200 404 404 200 200 404
inspections:task_detail             GET  submitted       302 200 200 200 200 404 404 200 404 404 200 200 404
inspections:task_item               GET  task-item       302 200 200 200 200 404 404 200 404 404 200 200 404
inspections:task_officers           GET  task            302 200 200 200 403 404 403 403 403 403 403 403 404
inspections:task_officers           POST task            302 302 302 302 403 404 403 403 403 403 403 403 404
inspections:task_sign               POST task            302 403 403 403 422 404 404 403 404 404 403 403 404
inspections:task_submit             POST task            302 403 403 403 302 404 403 403 403 403 403 403 404
inspections:task_filing             POST task            302 403 403 403 302 404 403 403 403 403 403 403 404
inspections:plan_list               GET  -               302 200 200 200 200 200 200 200 200 200 200 200 200
inspections:plan_create             GET  -               302 200 200 200 403 200 403 403 403 403 403 403 200
inspections:plan_create             POST -               302 422 422 422 403 422 403 403 403 403 403 403 422
inspections:plan                    GET  plan            302 200 200 200 200 200 200 200 200 200 200 200 200
inspections:plan                    POST plan            302 422 422 403 403 403 403 403 403 403 403 403 403
inspections:plan_round_remove       POST plan-round      302 302 302 403 403 403 403 403 403 403 403 403 403
inspections:coverage                GET  -               302 200 200 200 200 200 200 200 200 200 200 200 200
inspections:own_result_list         GET  -               302 200 200 200 200 200 200 200 200 200 200 200 200
inspections:own_result_create       GET  -               302 200 200 200 403 200 403 403 403 403 403 403 200
inspections:own_result_create       POST -               302 422 422 422 403 422 403 403 403 403 403 403 422
inspections:own_result              GET  own-result      302 200 200 200 200 404 404 200 404 404 200 200 404
inspections:own_result_edit         GET  own-returned    302 403 403 200 403 404 403 403 403 403 403 403 404
inspections:own_result_edit         POST own-returned    302 403 403 422 403 404 403 403 403 403 403 403 404
inspections:own_result_confirm      POST own-result      302 302 302 403 403 404 403 403 403 403 403 403 404
inspections:own_result_return       POST own-result      302 302 302 403 403 404 403 403 403 403 403 403 404
inspections:own_result_attachment   GET  own-result      302 200 200 200 200 404 404 200 404 404 200 200 404
inspections:photo                   GET  photo           302 200 200 200 200 404 404 200 404 404 200 200 404
inspections:signature               GET  signature       302 200 200 200 200 404 404 200 404 404 200 200 404
inspections:finding_list            GET  -               302 200 200 200 200 200 200 200 200 200 200 200 200
inspections:finding_detail          GET  finding         302 200 200 200 200 200 200 200 404 404 200 200 404
inspections:finding_send_on         POST finding         302 403 403 422 422 403 403 403 403 403 403 403 404
inspections:rectification_recheck   POST rectification   302 403 403 422 422 404 403 403 403 403 403 403 404
inspections:rectification_extend    POST rectification   302 403 403 422 422 404 403 403 403 403 403 403 404
inspections:refuse_request          POST request         302 403 403 302 403 404 403 403 403 403 403 403 404

# ute                                    object          ano cle hea par off tow law kee adm sec ins aud out
api:task                            GET  task            401 200 200 200 200 404 404 200 404 404 200 200 404
api:task_answer                     PUT  task-answer     401 403 403 403 400 404 404 403 404 404 403 403 404
api:task_photo                      PUT  task-photo      401 403 403 403 415 404 404 403 404 404 403 403 404

# ute                                    object          ano cle hea par off tow law kee adm sec ins aud out
penalties:list                      GET  -               302 200 200 200 200 200 200 200 200 200 200 200 200
penalties:referral                  GET  referral        302 200 200 200 200 200 200 200 404 404 200 200 404
penalties:take_up                   POST referral        302 403 403 403 403 302 403 403 404 404 403 403 404
penalties:return                    POST referral        302 403 403 403 403 302 403 403 404 404 403 403 404
penalties:file                      POST taken-up        302 403 403 403 403 422 403 403 404 404 403 403 404
penalties:case                      GET  case-filed      302 200 200 200 200 200 200 200 404 404 200 200 404
penalties:draft                     POST case-filed      302 403 403 403 403 422 403 403 404 404 403 403 404
penalties:request_review            POST case-filed      302 403 403 403 403 302 403 403 404 404 403 403 404
penalties:review                    POST case-in-review  302 403 403 403 403 403 422 403 404 404 403 403 404
penalties:decide                    POST case-filed      302 403 403 403 403 422 403 403 404 404 403 403 404
penalties:serve                     POST case-decided    302 403 403 403 403 422 403 403 404 404 403 403 404
penalties:pay                       POST case-served     302 403 403 403 403 422 403 403 404 404 403 403 404
penalties:close                     POST case-served     302 403 403 403 403 302 403 403 404 404 403 403 404

# ute                                    object          ano cle hea par off tow law kee adm sec ins aud out
archive:search                      GET  -               302 200 200 200 200 200 200 200 200 200 200 200 200
archive:dossier                     GET  institution     302 200 200 200 200 200 200 200 200 200 200 200 200
archive:dossier                     GET  elsewhere       302 200 200 200 200 404 404 200 200 200 200 200 200
archive:disclosure_list             GET  -               302 200 200 200 200 200 200 200 200 200 200 200 200
archive:publish_task                GET  submitted       302 200 200 403 403 404 404 403 404 404 403 403 404
archive:publish_task                POST submitted       302 302 302 403 403 404 404 403 404 404 403 403 404
archive:publish_case                GET  case-decided    302 403 403 403 403 200 403 403 404 404 403 403 404
archive:publish_case                POST case-decided    302 403 403 403 403 302 403 403 404 404 403 403 404
archive:withdraw                    POST disclosure      302 302 302 403 403 403 403 403 403 403 403 403 403
archive:trail                       GET  -               302 403 403 403 403 403 403 403 403 403 200 200 403
archive:trail                       GET  trail-logins    302 403 403 403 403 403 403 403 403 403 404 200 403
archive:trail_export                POST trail-entries   302 403 403 403 403 403 403 403 403 403 403 200 403
archive:public_list                 GET  -               200 200 200 200 200 200 200 200 200 200 200 200 200
archive:public_detail               GET  disclosure      200 200 200 200 200 200 200 200 200 200 200 200 200
"""

ROWS = [
    Row(route, method, subject, tuple(map(int, statuses)))
    for route, method, subject, *statuses in map(str.split, filter(None, TABLE.splitlines()))
    if route != "#"
]
