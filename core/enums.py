from django.db import models


class JobState(models.TextChoices):
    QUEUED = "QUEUED", "排队中"
    RUNNING = "RUNNING", "进行中"
    DONE = "DONE", "已完成"
    FAILED = "FAILED", "失败"


class ImportState(models.TextChoices):
    READING = "READING", "读取中"
    READY = "READY", "待确认"
    WRITING = "WRITING", "导入中"
    DONE = "DONE", "已导入"
    STOPPED = "STOPPED", "已中止"
    REFUSED = "REFUSED", "无法读取"


# A run that is thrown away is deleted; one that began to write goes on to the end, or to the line that may not
# be written any more.
IMPORT_TRANSITIONS = {
    ImportState.READING: [ImportState.READY, ImportState.REFUSED],
    ImportState.READY: [ImportState.WRITING],
    ImportState.WRITING: [ImportState.DONE, ImportState.STOPPED],
    ImportState.DONE: [],
    ImportState.STOPPED: [],
    ImportState.REFUSED: [],
}


class Verdict(models.TextChoices):
    """What importing a row would do."""

    NEW = "NEW", "新增"
    CHANGED = "CHANGED", "更新"
    UNCHANGED = "UNCHANGED", "不变"
    FAULTY = "FAULTY", "有误"
