"""Writes calls, attendances and surveys as lines of their contracts, all of one stream of the same width."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, product
from typing import Self

import numpy as np
import pyarrow as pa

from shared.feeds.call_centre import tables
from shared.feeds.call_centre.calls import Attendances, Calls, Surveys
from shared.feeds.call_centre.choices import below, happens
from shared.feeds.drawing.fixed_lines import LineTemplate, table_of
from shared.feeds.drawing.lines import text_column
from shared.feeds.drawing.local_times import LocalTimes
from shared.feeds.records import Records

_LOCAL = LocalTimes(tables.ZONE)
_ID_WIDTH = 36
_BOOLEANS = ("false", "true")
_CLIENTS = table_of(f"{number:5}" for number in range(1, tables.CLIENTS + 1))
_AGENTS = table_of(f"{number:4}" for number in range(1, tables.AGENTS + 1))
_MARKS = table_of(f"{number:2}" for number in range(1, tables.BEST_MARK + 1))
_AREAS = table_of(f'"{area}"}}' for area in tables.AREAS)
_ENDINGS = table_of(
    f'{known},"opcoes_navegadas":{options},"codigo_opcao":"{option}",'
    f'"derivado_atendimento":{passed_on},"id_fila":"URA_{option}"}}'
    for known, options, option, passed_on in product(
        _BOOLEANS, range(1, tables.MOST_OPTIONS + 1), tables.OPTIONS, _BOOLEANS
    )
)

_URA = LineTemplate(
    '{"id_chamada":"<call:36>","id_cliente":<client:5>,"data_hora_inicio":"<start:29>","data_hora_fim":"<end:29>",'
    f'"autenticado":<ending:{_ENDINGS.itemsize}>\n'
)
_CALLS = LineTemplate(
    '{"id_chamada":"<call:36>","id_atendimento":"<attendance:36>","id_cliente":<client:5>,"id_assistente":<agent:4>,'
    f'"data_hora_inicio":"<start:29>","data_hora_fim":"<end:29>","area_atendimento":<area:{_AREAS.itemsize}>\n'
)
_SURVEYS = LineTemplate(
    '{"id_chamada":"<call:36>","id_pesquisa":"<survey:36>","data_envio":"<sent:29>","nota":<mark:2>}\n'
)


@dataclass(frozen=True, slots=True)
class Texts:
    """What stands in several lines, written once for the whole batch.

    calls, attendances, surveys: V36, their ids. clients: V5, of each call. starts, ends: V29, of each call; attended:
    V29, the end of each attendance; sent: V29, of each survey.
    """

    calls: np.ndarray
    attendances: np.ndarray
    surveys: np.ndarray
    clients: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    attended: np.ndarray
    sent: np.ndarray

    @classmethod
    def of(cls, calls: Calls, attendances: Attendances, surveys: Surveys, ids: np.ndarray) -> Self:
        """Write them; ids: V36, those of all calls, then those of all attendances, then those of all surveys."""
        times = (calls.starts, calls.ends, attendances.ends, surveys.sent)
        starts, ends, attended, sent = _parted(_LOCAL.text(np.concatenate(times)), times)
        of_calls, of_attendances, of_surveys = _parted(ids, (starts, attended, sent))
        clients = _CLIENTS.take(below(tables.CLIENTS, calls.chosen["client"]))
        return cls(of_calls, of_attendances, of_surveys, clients, starts, ends, attended, sent)


def write_calls(calls: Calls, texts: Texts) -> Records:
    """Write what the menu saw of each call."""
    columns = {
        "call": texts.calls,
        "client": texts.clients,
        "start": texts.starts,
        "end": texts.ends,
        "ending": _ENDINGS.take(_ending(calls.chosen)),
    }
    return _keyed(_URA.lines(len(texts.calls), columns), texts.calls, calls.places)


def write_attendances(attendances: Attendances, texts: Texts, areas: np.ndarray) -> Records:
    """Write each attendance; areas: the agent's at that time, a number into `tables.AREAS`."""
    passed_on = attendances.calls.places
    calls = texts.calls.take(passed_on)
    place = passed_on.take(attendances.of_call)
    columns = {
        "call": texts.calls.take(place),
        "attendance": texts.attendances,
        "client": texts.clients.take(place),
        "agent": _AGENTS.take(attendances.agents),
        "start": _attendance_starts(attendances, texts),
        "end": texts.attended,
        "area": _AREAS.take(areas),
    }
    return _keyed(_CALLS.lines(len(place), columns), calls, attendances.of_call)


def write_surveys(surveys: Surveys, texts: Texts) -> Records:
    """Write each survey."""
    calls = texts.calls.take(surveys.calls.places)
    marks = _MARKS.take(below(tables.BEST_MARK, surveys.calls.chosen["mark"]))
    lines = _SURVEYS.lines(len(calls), {"call": calls, "survey": texts.surveys, "sent": texts.sent, "mark": marks})
    return _keyed(lines, calls, np.arange(len(calls)))


def _attendance_starts(attendances: Attendances, texts: Texts) -> np.ndarray:
    """Give what was written for the end of the one before it, or of the menu."""
    before = np.arange(len(texts.ends) - 1, len(texts.ends) + len(texts.attended) - 1)
    first = np.flatnonzero(attendances.numbers == 0)
    before[first] = attendances.calls.places
    starts: np.ndarray = np.concatenate([texts.ends, texts.attended]).take(before)
    return starts


def _ending(chosen: np.ndarray) -> np.ndarray:
    """Number the ending of each line: the product of its four parts, in their order."""
    known = happens(tables.AUTHENTICATED_PERCENT, chosen["authenticated"])
    options = known * tables.MOST_OPTIONS + below(tables.MOST_OPTIONS, chosen["options"])
    option = options * len(tables.OPTIONS) + below(len(tables.OPTIONS), chosen["option"])
    ending: np.ndarray = option * 2 + happens(tables.PASSED_ON_PERCENT, chosen["passed_on"])
    return ending


def _parted(texts: np.ndarray, parts: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Cut texts into parts as long as these."""
    ends = list(accumulate(map(len, parts)))
    return [texts[end - len(part) : end] for part, end in zip(parts, ends, strict=True)]


def _keyed(lines: pa.BinaryArray, ids: np.ndarray, of_call: np.ndarray) -> Records:
    """Key each line by its call, which stands at `of_call` in the calls' ids."""
    keys = text_column(ids.view(np.uint8).reshape(len(ids), _ID_WIDTH))
    return Records(lines, pa.DictionaryArray.from_arrays(pa.array(of_call.astype(np.int32)), keys))
