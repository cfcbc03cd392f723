"""A draw by rule and stratum: frozen roster, commitments, states; a redraw stands beside the old one."""

import django.db.models.deletion
import django.utils.timezone
import inspections.models.launch
from django.conf import settings
from django.db import migrations, models

# Draws made by a plain ratio stay what they were, and verifiable: sha256-rank-1 over the candidates.
CARRY_OVER = """
UPDATE inspections_jointinspection SET sampling_rule = jsonb_build_object(
    'by', '', 'rates', '{}'::jsonb,
    'otherwise', jsonb_build_array(jsonb_build_object('percent', trim_scale(sampling_ratio)::text)));
UPDATE inspections_draw SET
    state = 'DRAWN', frozen_at = drawn_at,
    rule = jsonb_build_object(
        'by', '', 'rates', '{}'::jsonb,
        'otherwise', jsonb_build_array(jsonb_build_object('percent', trim_scale(ratio)::text))),
    strata = jsonb_build_array(jsonb_build_object(
        'stratum', '', 'members', roster_size, 'drawn', size, 'probability', size || '/' || roster_size));
INSERT INTO inspections_drawroster (draw_id, content)
SELECT draw.id, jsonb_build_object('excluded', '[]'::jsonb, 'strata', jsonb_build_array(jsonb_build_object(
    'stratum', '', 'members', jsonb_agg(institution.key ORDER BY institution.key))))
FROM inspections_draw draw
JOIN inspections_candidate candidate ON candidate.joint_inspection_id = draw.joint_inspection_id
JOIN institutions_institution institution ON institution.id = candidate.institution_id
GROUP BY draw.id;
SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('departments', '0001_schema'),
        ('inspections', '0003_referral_delegation'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='DrawContribution',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('commitment', models.CharField(max_length=64, verbose_name='承诺')),
                ('committed_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='承诺时间')),
                ('secret', models.CharField(blank=True, max_length=128, verbose_name='秘密数')),
                ('revealed_at', models.DateTimeField(blank=True, null=True, verbose_name='公开时间')),
            ],
            options={
                'ordering': ['department__code'],
            },
        ),
        migrations.CreateModel(
            name='DrawRoster',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('content', models.JSONField()),
            ],
        ),
        migrations.AlterModelOptions(
            name='draw',
            options={'ordering': ['-pk']},
        ),
        migrations.RemoveConstraint(
            model_name='jointinspection',
            name='inspections_ratio_in_percent',
        ),
        migrations.RenameField(
            model_name='draw',
            old_name='drawn_by',
            new_name='frozen_by',
        ),
        migrations.AddField(
            model_name='draw',
            name='commit_by',
            field=models.DateTimeField(blank=True, null=True, verbose_name='承诺截止时间'),
        ),
        migrations.AddField(
            model_name='draw',
            name='ended_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='draw',
            name='ended_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='draw',
            name='ended_reason',
            field=models.CharField(blank=True, max_length=500, verbose_name='不再有效的原因'),
        ),
        migrations.AddField(
            model_name='draw',
            name='frozen_at',
            field=models.DateTimeField(default=django.utils.timezone.now, verbose_name='名单固定时间'),
        ),
        migrations.AddField(
            model_name='draw',
            name='number',
            field=models.PositiveSmallIntegerField(default=1, verbose_name='第几次抽取'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='draw',
            name='portal_commitment',
            field=models.CharField(blank=True, max_length=64, verbose_name='门户的承诺'),
        ),
        migrations.AddField(
            model_name='draw',
            name='portal_secret',
            field=models.CharField(blank=True, max_length=128, verbose_name='门户的秘密数'),
        ),
        migrations.AddField(
            model_name='draw',
            name='reveal_by',
            field=models.DateTimeField(blank=True, null=True, verbose_name='公开截止时间'),
        ),
        migrations.AddField(
            model_name='draw',
            name='rule',
            field=models.JSONField(default={}, verbose_name='抽取规则'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='draw',
            name='rule_digest',
            field=models.CharField(blank=True, max_length=64, verbose_name='规则摘要'),
        ),
        migrations.AddField(
            model_name='draw',
            name='state',
            field=models.CharField(choices=[('COMMITTING', '征集秘密数'), ('REVEALING', '公开秘密数'), ('DRAWN', '已抽取'), ('VOID', '已作废'), ('REPLACED', '已批准重抽')], default='COMMITTING', max_length=12, verbose_name='状态'),
        ),
        migrations.AddField(
            model_name='draw',
            name='strata',
            field=models.JSONField(default=list, verbose_name='各层'),
        ),
        migrations.AddField(
            model_name='drawninstitution',
            name='stratum',
            field=models.CharField(blank=True, max_length=64, verbose_name='分层'),
        ),
        migrations.AddField(
            model_name='jointinspection',
            name='sampling_rule',
            field=models.JSONField(default=inspections.models.launch.everybody, verbose_name='抽取规则'),
        ),
        migrations.AlterField(
            model_name='draw',
            name='drawn_at',
            field=models.DateTimeField(blank=True, null=True, verbose_name='抽取时间'),
        ),
        migrations.AlterField(
            model_name='draw',
            name='seed',
            field=models.CharField(blank=True, max_length=64, verbose_name='种子'),
        ),
        migrations.AlterField(
            model_name='draw',
            name='size',
            field=models.PositiveIntegerField(verbose_name='抽取数'),
        ),
        migrations.AddIndex(
            model_name='draw',
            index=models.Index(condition=models.Q(('state__in', ['COMMITTING', 'REVEALING'])), fields=['state'], name='inspections_open_draws'),
        ),
        migrations.AddConstraint(
            model_name='draw',
            constraint=models.UniqueConstraint(fields=('joint_inspection', 'number'), name='inspections_draw_numbered'),
        ),
        migrations.AddConstraint(
            model_name='draw',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['COMMITTING', 'REVEALING', 'DRAWN'])), fields=('joint_inspection',), name='inspections_one_draw_stands'),
        ),
        migrations.AddConstraint(
            model_name='draw',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['DRAWN', 'REPLACED']), _negated=True), models.Q(models.Q(('seed', ''), _negated=True), ('drawn_at__isnull', False)), _connector='OR'), name='inspections_drawn_has_a_seed'),
        ),
        migrations.AddConstraint(
            model_name='draw',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['VOID', 'REPLACED']), _negated=True), models.Q(models.Q(('ended_reason', ''), _negated=True), ('ended_at__isnull', False)), _connector='OR'), name='inspections_ended_draw_says_why'),
        ),
        migrations.AddConstraint(
            model_name='draw',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'REPLACED'), _negated=True), ('ended_by__isnull', False), _connector='OR'), name='inspections_redraw_is_approved'),
        ),
        migrations.AddField(
            model_name='drawcontribution',
            name='committed_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='drawcontribution',
            name='department',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='departments.department'),
        ),
        migrations.AddField(
            model_name='drawcontribution',
            name='draw',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='contributions', to='inspections.draw'),
        ),
        migrations.AddField(
            model_name='drawcontribution',
            name='revealed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='drawroster',
            name='draw',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='roster', to='inspections.draw'),
        ),
        migrations.AddConstraint(
            model_name='drawcontribution',
            constraint=models.UniqueConstraint(fields=('draw', 'department'), name='inspections_one_contribution_a_department'),
        ),
        migrations.AddConstraint(
            model_name='drawcontribution',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('revealed_at', None), ('secret', '')), models.Q(models.Q(('secret', ''), _negated=True), ('revealed_at__isnull', False), ('revealed_by__isnull', False)), _connector='OR'), name='inspections_revealed_by_somebody'),
        ),
        migrations.RunSQL(CARRY_OVER, migrations.RunSQL.noop),
        migrations.RemoveField(
            model_name='draw',
            name='ratio',
        ),
        migrations.RemoveField(
            model_name='jointinspection',
            name='sampling_ratio',
        ),
    ]
