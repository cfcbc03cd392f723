"""What stands on a submitted form is no longer anybody's to change."""

from django.db import migrations

CREATE = """
CREATE FUNCTION inspections_keep_item() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT state FROM inspections_task WHERE id = OLD.task_id) = 'SUBMITTED' THEN
        RAISE EXCEPTION '表单已提交：% 的 % 已被拒绝', TG_TABLE_NAME, TG_OP USING ERRCODE = 'raise_exception';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE FUNCTION inspections_keep_task() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '表单已提交：% 的 % 已被拒绝', TG_TABLE_NAME, TG_OP USING ERRCODE = 'raise_exception';
END $$;

CREATE TRIGGER task_item_keeps BEFORE UPDATE OR DELETE ON inspections_taskitem
    FOR EACH ROW EXECUTE FUNCTION inspections_keep_item();
CREATE TRIGGER signature_keeps BEFORE UPDATE OR DELETE ON inspections_signature
    FOR EACH ROW EXECUTE FUNCTION inspections_keep_item();
CREATE TRIGGER task_keeps BEFORE UPDATE OR DELETE ON inspections_task
    FOR EACH ROW WHEN (OLD.state = 'SUBMITTED') EXECUTE FUNCTION inspections_keep_task();
"""

DROP = """
DROP TRIGGER task_item_keeps ON inspections_taskitem;
DROP TRIGGER signature_keeps ON inspections_signature;
DROP TRIGGER task_keeps ON inspections_task;
DROP FUNCTION inspections_keep_item();
DROP FUNCTION inspections_keep_task();
"""


class Migration(migrations.Migration):
    dependencies = [("inspections", "0001_schema")]
    operations = [migrations.RunSQL(CREATE, DROP)]
