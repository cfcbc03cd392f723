from django.db import models


class Work(models.TextChoices):
    """What may wait for somebody, in the order the desk shows it."""

    APPROVAL = "APPROVAL", "待审批的联合检查"
    LEGAL_REVIEW = "LEGAL_REVIEW", "待法制审核"
    VISIT = "VISIT", "我的检查任务"
    ANSWER = "ANSWER", "待勾选的联合检查"
    REQUEST = "REQUEST", "其他部门提请的事项"
    SECRET = "SECRET", "待公开的秘密数"
    OWN_RESULT = "OWN_RESULT", "待确认的自建系统结果"
    OWN_RETURNED = "OWN_RETURNED", "被退回的自建系统结果"
    UNCHECKED = "UNCHECKED", "本年度尚未检查的机构"
    DRAFT = "DRAFT", "待发布的事项清单"
    LEADING = "LEADING", "本部门牵头"
    REFERRAL = "REFERRAL", "待接收的移送"
    CASE = "CASE", "在办案件"
    RECHECK = "RECHECK", "待复查的整改"
    FINDING = "FINDING", "待重新处置的问题"
    DISCLOSURE = "DISCLOSURE", "待公示的检查结果"
    CERTIFICATE = "CERTIFICATE", "须换发的执法证"
    DELEGATION = "DELEGATION", "即将到期的赋权"
    CASE_DISCLOSURE = "CASE_DISCLOSURE", "待公示的处罚决定"
    LATE_VISIT = "LATE_VISIT", "逾期未完成的检查"
    LATE_RECTIFICATION = "LATE_RECTIFICATION", "超期未复查的整改"
    LATE_REFERRAL = "LATE_REFERRAL", "超期未接收的移送"
    LATE_DISCLOSURE = "LATE_DISCLOSURE", "超期未公示的检查结果"
