-- One chunk of the merge: institutions %(first)s to %(last)s of the draw become forms.
-- A check item stands on a form once, whichever and however many matrix rows lead to it.
-- Only departments with officers for the visit come onto it: who they are follows from the seed.
WITH planned AS MATERIALIZED (
    SELECT position, array_agg(department_id) AS departments
    FROM unnest(%(positions)s::bigint[], %(departments)s::bigint[]) AS team (position, department_id)
    GROUP BY position
),
chunk AS MATERIALIZED (
    SELECT uuidv7() AS task_id, drawn.institution_id, drawn.position, institution.key,
           institution.features, institution.kind, planned.departments
    FROM inspections_drawninstitution drawn
    JOIN planned ON planned.position = drawn.position
    JOIN institutions_institution institution ON institution.id = drawn.institution_id
    WHERE drawn.draw_id = %(draw)s AND drawn.position BETWEEN %(first)s AND %(last)s
      AND NOT EXISTS (
          SELECT FROM inspections_taskorigin origin
          WHERE origin.joint_inspection_id = %(inspection)s AND origin.institution_id = drawn.institution_id
      )
),
-- Carries what is asked of the visit later: the planner expects one row here, and would join the chunk's
-- thousands in a loop.
wanted AS MATERIALIZED (
    SELECT chunk.task_id, chunk.institution_id, chunk.position, chunk.key,
           tick.department_id, tick.check_item_id, tick.item_id
    FROM chunk
    JOIN inspections_tick tick ON tick.joint_inspection_id = %(inspection)s AND tick.ticked
    JOIN scenarios_publisheditem item ON item.id = tick.item_id
    WHERE tick.department_id = ANY(chunk.departments)
      AND chunk.features @> item.required_features
      AND (cardinality(item.institution_kinds) = 0 OR chunk.kind = ANY(item.institution_kinds))
),
visited AS MATERIALIZED (
    SELECT task_id, institution_id, position, key, count(*) AS items,
           array_agg(DISTINCT department_id) AS departments
    FROM wanted GROUP BY task_id, institution_id, position, key
),
task AS (
    INSERT INTO inspections_task
        (id, institution_id, state, window_from, window_until, created_at, answers_digest, digest_algorithm)
    SELECT task_id, institution_id, 'ASSIGNED', %(window_from)s, %(window_until)s, now(), '', '' FROM visited
),
origin AS (
    INSERT INTO inspections_taskorigin (task_id, joint_inspection_id, institution_id)
    SELECT task_id, %(inspection)s, institution_id FROM visited
),
task_item AS (
    INSERT INTO inspections_taskitem (task_id, department_id, check_item_id, item_id, value, note, rev)
    SELECT task_id, department_id, check_item_id, item_id, '', '', 0 FROM wanted
    RETURNING id, task_id, check_item_id
),
item_row AS (
    INSERT INTO inspections_taskitemrow (task_item_id, row_id)
    SELECT task_item.id, matrix.id
    FROM task_item
    JOIN scenarios_matrixrow matrix ON matrix.check_item_id = task_item.check_item_id
    WHERE matrix.version_id IN (
        SELECT version_id FROM inspections_jointinspectionversion WHERE joint_inspection_id = %(inspection)s
    )
)
SELECT task_id, key, items, position, departments FROM visited ORDER BY position
