"""The database itself refuses to change or drop what the ledger holds."""

from django.db import migrations

CREATE = """
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '留痕只可追加：% 的 % 已被拒绝', TG_TABLE_NAME, TG_OP USING ERRCODE = 'raise_exception';
END $$;

CREATE FUNCTION ledger_only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id <> OLD.id OR NEW.subject <> OLD.subject OR NEW.head_seq <= OLD.head_seq THEN
        RAISE EXCEPTION '留痕链头只可前移：% 的 % 已被拒绝', TG_TABLE_NAME, TG_OP USING ERRCODE = 'raise_exception';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER entry_append_only BEFORE UPDATE OR DELETE ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER entry_no_truncate BEFORE TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER checkpoint_append_only BEFORE UPDATE OR DELETE ON ledger_checkpoint
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER checkpoint_no_truncate BEFORE TRUNCATE ON ledger_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER chain_only_forward BEFORE UPDATE ON ledger_chain
    FOR EACH ROW EXECUTE FUNCTION ledger_only_forward();
CREATE TRIGGER chain_no_delete BEFORE DELETE ON ledger_chain
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER chain_no_truncate BEFORE TRUNCATE ON ledger_chain
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
"""

DROP = """
DROP TRIGGER entry_append_only ON ledger_entry;
DROP TRIGGER entry_no_truncate ON ledger_entry;
DROP TRIGGER checkpoint_append_only ON ledger_checkpoint;
DROP TRIGGER checkpoint_no_truncate ON ledger_checkpoint;
DROP TRIGGER chain_only_forward ON ledger_chain;
DROP TRIGGER chain_no_delete ON ledger_chain;
DROP TRIGGER chain_no_truncate ON ledger_chain;
DROP FUNCTION ledger_refuse();
DROP FUNCTION ledger_only_forward();
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_schema")]
    operations = [migrations.RunSQL(CREATE, DROP)]
