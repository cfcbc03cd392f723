from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from core import jobs
from core.enums import JobState
from core.jobs import LeaseLostError
from core.models import BackgroundJob

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch):
    """Messages that would have gone to the broker."""
    messages = []
    monkeypatch.setattr(jobs.current_app, "send_task", lambda task, args: messages.append((task, args)))
    return messages


@pytest.fixture
def job(sent):
    return start()


def start(subject="joint_inspection:1", **options):
    return jobs.start(kind="merge", subject=subject, task="inspections.tasks.merge", **options)


def pass_time(job, seconds=10_000):
    """As if the lease had run out and the job were old."""
    past = timezone.now() - timedelta(seconds=seconds)
    BackgroundJob.objects.filter(pk=job.pk).update(created_at=past)
    BackgroundJob.objects.filter(pk=job.pk).exclude(lease_until=None).update(lease_until=past)


# --- Starting ----------------------------------------------------------------------


def test_job_knows_what_it_is_to_do(job):
    assert (job.kind, job.subject, job.task) == ("merge", "joint_inspection:1", "inspections.tasks.merge")
    assert (job.state, job.done, job.total, job.params, job.is_active) == (JobState.QUEUED, 0, 0, {}, True)


def test_job_is_enqueued_on_commit_only(sent, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        job = start()
        assert sent == []
    assert sent == [("inspections.tasks.merge", [str(job.pk)])]


def test_same_work_asked_for_twice_is_one_job(job, sent, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        assert start() == job
    assert sent == []


def test_finished_work_may_be_asked_for_again(job):
    claimed = jobs.claim(job.pk)
    jobs.finish(claimed)
    assert start() != job


def test_dead_broker_does_not_undo_what_was_committed(monkeypatch, django_capture_on_commit_callbacks):
    def refuse(task, args):
        raise OperationalError

    monkeypatch.setattr(jobs.current_app, "send_task", refuse)
    with django_capture_on_commit_callbacks(execute=True):
        job = start()
    assert BackgroundJob.objects.get() == job


# --- The lease -----------------------------------------------------------------------


def test_claim_takes_the_lease(job, settings):
    claimed = jobs.claim(str(job.pk))
    assert (claimed.state, claimed.attempts) == (JobState.RUNNING, 1)
    left = (claimed.lease_until - timezone.now()).total_seconds()
    assert settings.JOB_LEASE_SECONDS - 5 < left <= settings.JOB_LEASE_SECONDS


def test_second_worker_gets_nothing(job):
    assert jobs.claim(job.pk)
    assert jobs.claim(job.pk) is None


def test_abandoned_job_is_taken_over(job):
    first = jobs.claim(job.pk)
    pass_time(job)
    second = jobs.claim(job.pk)
    assert second.attempts == 2
    assert second.lease_token != first.lease_token


@pytest.mark.parametrize("end", [jobs.finish, lambda job: jobs.release(job, "")], ids=["done", "failed"])
def test_ended_job_cannot_be_claimed(job, settings, end):
    settings.JOB_MAX_ATTEMPTS = 1
    end(jobs.claim(job.pk))
    assert jobs.claim(job.pk) is None


def test_a_job_that_took_its_workers_with_it_too_often_has_failed(job, settings):
    settings.JOB_MAX_ATTEMPTS = 2
    for _ in range(2):
        assert jobs.claim(job.pk)
        pass_time(job)
    assert jobs.claim(job.pk) is None
    job.refresh_from_db()
    assert (job.state, job.attempts, job.lease_until) == (JobState.FAILED, 2, None)
    assert job.error == "处理进程多次中途退出，已停止重试。"
    jobs.retry(job)
    assert jobs.claim(job.pk)


def test_message_about_a_job_there_is_not_is_harmless(db):
    assert jobs.claim("00000000-0000-4000-8000-000000000000") is None


def test_progress_is_recorded_and_renews_the_lease(job):
    claimed = jobs.claim(job.pk)
    BackgroundJob.objects.update(lease_until=timezone.now() + timedelta(seconds=1))
    jobs.advance(claimed, done=500, total=3000)
    job.refresh_from_db()
    assert (job.done, job.total, claimed.done, claimed.total) == (500, 3000, 500, 3000)
    assert job.lease_until > timezone.now() + timedelta(seconds=5)


def test_progress_without_a_total_keeps_the_total(job):
    claimed = jobs.claim(job.pk)
    jobs.advance(claimed, done=0, total=3000)
    jobs.advance(claimed, done=500)
    job.refresh_from_db()
    assert (job.done, job.total) == (500, 3000)


@pytest.mark.parametrize(
    "write", [lambda job: jobs.advance(job, done=1), jobs.finish], ids=["advance", "finish"]
)
def test_worker_whose_job_was_taken_over_cannot_write(job, write):
    late = jobs.claim(job.pk)
    pass_time(job)
    jobs.claim(job.pk)
    with pytest.raises(LeaseLostError):
        write(late)


def test_chunk_of_a_worker_whose_job_was_taken_over_rolls_back(job):
    late = jobs.claim(job.pk)
    pass_time(job)
    jobs.claim(job.pk)
    with pytest.raises(LeaseLostError):
        _write_a_chunk(late)
    assert not BackgroundJob.objects.filter(subject="written by the chunk").exists()


@transaction.atomic
def _write_a_chunk(job):
    start("written by the chunk")
    jobs.advance(job, done=1)


def test_worker_whose_job_was_taken_over_does_not_release_it(job):
    late = jobs.claim(job.pk)
    pass_time(job)
    holder = jobs.claim(job.pk)
    jobs.release(late, "too late")
    job.refresh_from_db()
    assert (job.state, job.lease_token, job.error) == (JobState.RUNNING, holder.lease_token, "")


# --- The end -----------------------------------------------------------------------


def test_finished_job_is_done(job):
    jobs.finish(jobs.claim(job.pk))
    job.refresh_from_db()
    assert (job.state, job.lease_until, job.is_active) == (JobState.DONE, None, False)
    assert job.finished_at is not None


def test_job_that_failed_waits_a_little_and_is_tried_again(job):
    jobs.release(jobs.claim(job.pk), "no connection")
    job.refresh_from_db()
    assert (job.state, job.error) == (JobState.QUEUED, "no connection")
    assert jobs.claim(job.pk) is None
    pass_time(job)
    assert jobs.claim(job.pk).attempts == 2


def test_job_that_fails_too_often_is_given_up(job, settings):
    settings.JOB_MAX_ATTEMPTS = 2
    for _ in range(2):
        pass_time(job)
        jobs.release(jobs.claim(job.pk), "x" * 5000)
    job.refresh_from_db()
    assert (job.state, len(job.error), job.is_active) == (JobState.FAILED, 2000, False)
    assert job.finished_at is not None


# --- The sweep -----------------------------------------------------------------------


def test_sweep_leaves_a_fresh_job_to_its_message(job, sent):
    assert jobs.sweep() == 0
    assert sent == []


def test_sweep_sends_a_lost_message_again(job, sent):
    pass_time(job)
    assert jobs.sweep() == 1
    assert sent == [(job.task, [str(job.pk)])]


def test_sweep_leaves_a_worker_in_peace(job, sent):
    jobs.claim(job.pk)
    BackgroundJob.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert jobs.sweep() == 0


def test_sweep_sends_the_job_of_a_dead_worker_again(job, sent):
    jobs.claim(job.pk)
    pass_time(job)
    assert jobs.sweep() == 1
    assert sent == [(job.task, [str(job.pk)])]


def test_sweep_leaves_what_is_done(job, sent):
    jobs.finish(jobs.claim(job.pk))
    pass_time(job)
    assert jobs.sweep() == 0


def test_finished_job_hides_no_other(job, sent):
    other = start("joint_inspection:2")
    jobs.finish(jobs.claim(job.pk))
    pass_time(other)
    jobs.sweep()
    assert sent == [(other.task, [str(other.pk)])]
