"""Entries of delegations: written once, replaced by newer ones, never changed; the database says so too."""

import django.contrib.postgres.constraints
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


KEEP = """
CREATE FUNCTION scenarios_keep_delegation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.is_current AND NOT NEW.is_current
        AND to_jsonb(NEW) - 'is_current' = to_jsonb(OLD) - 'is_current'
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '赋权记录不可更改：% 已被拒绝', TG_OP USING ERRCODE = 'raise_exception';
END $$;

CREATE TRIGGER delegation_keeps BEFORE UPDATE OR DELETE ON scenarios_delegation
    FOR EACH ROW EXECUTE FUNCTION scenarios_keep_delegation();
"""

DROP = """
DROP TRIGGER delegation_keeps ON scenarios_delegation;
DROP FUNCTION scenarios_keep_delegation();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0001_schema'),
        ('departments', '0001_schema'),
        ('scenarios', '0004_any_columns'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='delegation',
            options={'ordering': ['town', 'penalty_item', 'valid_from', 'pk']},
        ),
        migrations.RemoveConstraint(
            model_name='delegation',
            name='scenarios_one_delegation_from_a_day',
        ),
        migrations.AddField(
            model_name='delegation',
            name='act',
            field=models.CharField(choices=[('GRANTED', '登记'), ('ENDED', '终止'), ('PROLONGED', '延长'), ('CORRECTED', '更正'), ('CONFIRMED', '归档确认书'), ('WITHDRAWN', '撤销登记')], default='GRANTED', max_length=10, verbose_name='事由'),
        ),
        migrations.AddField(
            model_name='delegation',
            name='confirmation',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='core.storedfile', verbose_name='承接确认书'),
        ),
        migrations.AddField(
            model_name='delegation',
            name='confirmation_number',
            field=models.CharField(blank=True, max_length=64, verbose_name='确认书编号'),
        ),
        migrations.AddField(
            model_name='delegation',
            name='is_current',
            field=models.BooleanField(default=True, verbose_name='现行'),
        ),
        migrations.AddField(
            model_name='delegation',
            name='reason',
            field=models.TextField(blank=True, verbose_name='理由'),
        ),
        migrations.AddField(
            model_name='delegation',
            name='recorded_at',
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='登记时间'),
        ),
        migrations.AddField(
            model_name='delegation',
            name='recorded_by',
            # No row needs it: the portal is not in use yet.
            field=models.ForeignKey(default=1, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='delegation',
            name='replaces',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='replaced_by', to='scenarios.delegation'),
        ),
        migrations.AddConstraint(
            model_name='delegation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('act', 'WITHDRAWN'), _negated=True), ('is_current', False), _connector='OR'), name='scenarios_withdrawn_is_not_current'),
        ),
        migrations.AddConstraint(
            model_name='delegation',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('is_current', True)), expressions=[(models.Func('town', 'town', models.Value('[]'), function='int8range'), '&&'), (models.Func('penalty_item', 'penalty_item', models.Value('[]'), function='int8range'), '&&'), (models.Func('valid_from', 'valid_until', models.Value('[]'), function='daterange'), '&&')], name='scenarios_one_delegation_a_day'),
        ),
        migrations.RunSQL(KEEP, DROP),
    ]
