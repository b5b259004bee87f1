"""The tables of a Log Analytics workspace that Application Insights fills, with the types of their columns.

Source: learn.microsoft.com/azure/azure-monitor/reference/tables (apptraces, appmetrics, apprequests, appdependencies,
appexceptions). Left out of each are the columns of a browser and of people (Client…, User…, SessionId), which nothing
here sends, and those of the workspace (TenantId, _ResourceId, …), which there is none of; in a row they would be null.
"""

from collections.abc import Mapping
from typing import Final

type Columns = Mapping[str, str]

_OF_ALL: Final = {
    "TimeGenerated": "datetime",
    "OperationId": "string",
    "OperationName": "string",
    "ParentId": "string",
    "Properties": "dynamic",
    "ItemCount": "int",
    "AppRoleName": "string",
    "AppRoleInstance": "string",
    "AppVersion": "string",
    "SyntheticSource": "string",
    "SDKVersion": "string",
    "IKey": "string",
    "Type": "string",
    "_BilledSize": "real",
    "_IsBillable": "string",
}
_OF_CALLS: Final = {
    "Id": "string",
    "Name": "string",
    "DurationMs": "real",
    "Success": "bool",
    "ResultCode": "string",
    "Measurements": "dynamic",
}

TABLES: Final[Mapping[str, Columns]] = {
    "AppTraces": _OF_ALL | {"Message": "string", "SeverityLevel": "int", "Measurements": "dynamic"},
    "AppMetrics": _OF_ALL | {"Name": "string", "Sum": "real", "Min": "real", "Max": "real"},
    "AppRequests": _OF_ALL | _OF_CALLS | {"Source": "string", "Url": "string"},
    "AppDependencies": _OF_ALL | _OF_CALLS | {"Target": "string", "DependencyType": "string", "Data": "string"},
    "AppExceptions": _OF_ALL
    | {
        "ExceptionType": "string",
        "Message": "string",
        "OuterType": "string",
        "OuterMessage": "string",
        "InnermostType": "string",
        "InnermostMessage": "string",
        "ProblemId": "string",
        "SeverityLevel": "int",
        "Details": "dynamic",
        "Measurements": "dynamic",
    },
}
