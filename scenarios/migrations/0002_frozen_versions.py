"""A published version never changes; the database says so too."""

from django.db import migrations

CREATE = """
CREATE FUNCTION scenarios_keep_published() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    which bigint := CASE WHEN TG_OP = 'INSERT' THEN NEW.version_id ELSE OLD.version_id END;
BEGIN
    IF (SELECT state FROM scenarios_scenarioversion WHERE id = which) <> 'DRAFT' THEN
        RAISE EXCEPTION '已发布的版本不可更改：% 的 % 已被拒绝', TG_TABLE_NAME, TG_OP USING ERRCODE = 'raise_exception';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE FUNCTION scenarios_keep_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'DRAFT' THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'DELETE' OR NEW.state = 'DRAFT'
        OR (NEW.id, NEW.scenario_id, NEW.number, NEW.title, NEW.layout, NEW.digest, NEW.effective_from,
            NEW.published_at, NEW.source_file_id)
        IS DISTINCT FROM
           (OLD.id, OLD.scenario_id, OLD.number, OLD.title, OLD.layout, OLD.digest, OLD.effective_from,
            OLD.published_at, OLD.source_file_id)
    THEN
        RAISE EXCEPTION '已发布的版本不可更改：% 的 % 已被拒绝', TG_TABLE_NAME, TG_OP USING ERRCODE = 'raise_exception';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER version_keeps BEFORE UPDATE OR DELETE ON scenarios_scenarioversion
    FOR EACH ROW EXECUTE FUNCTION scenarios_keep_version();
CREATE TRIGGER row_keeps BEFORE INSERT OR UPDATE OR DELETE ON scenarios_matrixrow
    FOR EACH ROW EXECUTE FUNCTION scenarios_keep_published();
CREATE TRIGGER item_keeps BEFORE INSERT OR UPDATE OR DELETE ON scenarios_publisheditem
    FOR EACH ROW EXECUTE FUNCTION scenarios_keep_published();
CREATE TRIGGER penalty_keeps BEFORE INSERT OR UPDATE OR DELETE ON scenarios_publishedpenalty
    FOR EACH ROW EXECUTE FUNCTION scenarios_keep_published();
"""

DROP = """
DROP TRIGGER version_keeps ON scenarios_scenarioversion;
DROP TRIGGER row_keeps ON scenarios_matrixrow;
DROP TRIGGER item_keeps ON scenarios_publisheditem;
DROP TRIGGER penalty_keeps ON scenarios_publishedpenalty;
DROP FUNCTION scenarios_keep_published();
DROP FUNCTION scenarios_keep_version();
"""


class Migration(migrations.Migration):
    dependencies = [("scenarios", "0001_schema")]
    operations = [migrations.RunSQL(CREATE, DROP)]
