"""What the lakehouse must hold of the calls of some windows: worked out record by record, without Spark.

It is written for its reader, not for speed: the rows that Spark makes are compared with these, one by one. Records are
given as the contracts have them; those that were sent twice count once.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any, Final
from zoneinfo import ZoneInfo

from shared.feeds.call_centre.tables import ZONE

type Record = Mapping[str, Any]
type GoldRow = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Marks:
    """From which mark on a caller is a promoter, and from which one neutral; a detractor is who gives less."""

    promoter: int
    neutral: int


USUAL: Final = Marks(promoter=6, neutral=5)
STANDARD: Final = Marks(promoter=9, neutral=7)

_RECALL = timedelta(hours=24)
_LOCAL = ZoneInfo(ZONE)
_PLACES = 10**4


@dataclass(frozen=True, slots=True)
class _Attendance:
    id: str
    client: int
    agent: int
    area: str
    start: datetime
    end: datetime

    @property
    def seconds(self) -> Fraction:
        return _seconds(self.start, self.end)


def visao_assistentes(calls: Iterable[Record], surveys: Iterable[Record], marks: Marks = USUAL) -> list[GoldRow]:
    """Give the rows of `visao_assistentes`, in the order of their key (DT_REFE, DS_AREA, ID_ASST)."""
    attended, mark_of = _attended(calls), _mark_of(surveys)
    recalled = _recalled(attended)
    groups: defaultdict[tuple[date, str, int], dict[str, list[_Attendance]]] = defaultdict(dict)
    for call, attendances in attended.items():
        for one in attendances:
            groups[_day(one.start), one.area, one.agent].setdefault(call, []).append(one)
    return [
        _key_of_day(key[0])
        | {"DS_AREA": key[1], "ID_ASST": key[2]}
        | _transfers(mine, attended)
        | _share("RECH", len(mine.keys() & recalled), len(mine))
        | {"VL_TEMP_MEDI_OPER": mean([one.seconds for ones in mine.values() for one in ones])}
        | _promoters([mark_of[call] for call in mine if call in mark_of], marks)
        for key, mine in sorted(groups.items())
    ]


def visao_ura_calls(ura: Iterable[Record], calls: Iterable[Record]) -> list[GoldRow]:
    """Give the rows of `visao_ura_calls`, in the order of their key (DT_REFE, ID_FILA)."""
    attended = _attended(calls)
    groups: defaultdict[tuple[date, str], list[Record]] = defaultdict(list)
    for record in {one["id_chamada"]: one for one in ura}.values():
        groups[_day(_instant(record["data_hora_inicio"])), record["id_fila"]].append(record)
    return [
        _key_of_day(day) | {"ID_FILA": queue} | _options(mine) | _attended_of_queue(mine, attended)
        for (day, queue), mine in sorted(groups.items(), key=lambda group: group[0])
    ]


def mean(values: Sequence[Fraction | int]) -> Decimal | None:
    """Give the mean to four decimals, a half away from zero; None of nothing."""
    return _ratio(sum(values), len(values))


def _ratio(part: Fraction | int, whole: int) -> Decimal | None:
    if whole == 0:
        return None
    exact = Fraction(part) / whole
    rounded = floor(abs(exact) * _PLACES + Fraction(1, 2))
    return (Decimal(rounded) / _PLACES).copy_sign(Decimal(exact.numerator)).quantize(Decimal("0.0001"))


def _attended(calls: Iterable[Record]) -> dict[str, list[_Attendance]]:
    """Give the attendances of each call, in the order of (DH_INIC, ID_ATEN)."""
    unique = {(one["id_chamada"], one["id_atendimento"]): one for one in calls}
    attended: defaultdict[str, list[_Attendance]] = defaultdict(list)
    for (call, number), record in unique.items():
        attended[call].append(
            _Attendance(
                number,
                record["id_cliente"],
                record["id_assistente"],
                record["area_atendimento"],
                _instant(record["data_hora_inicio"]),
                _instant(record["data_hora_fim"]),
            )
        )
    return {call: sorted(ones, key=lambda one: (one.start, one.id)) for call, ones in attended.items()}


def _mark_of(surveys: Iterable[Record]) -> dict[str, int]:
    """Give each call's mark: of two surveys the later one counts, by (DT_ENVI, ID_PESQ)."""
    in_order = sorted(surveys, key=lambda one: (_instant(one["data_envio"]), one["id_pesquisa"]))
    return {one["id_chamada"]: one["nota"] for one in in_order}


def _recalled(attended: Mapping[str, Sequence[_Attendance]]) -> set[str]:
    """Name the calls after whose end the same client has another one that starts within 24 hours."""
    starts: defaultdict[int, list[datetime]] = defaultdict(list)
    for attendances in attended.values():
        starts[attendances[0].client].append(attendances[0].start)
    return {
        call
        for call, attendances in attended.items()
        if any(timedelta() < start - _end(attendances) <= _RECALL for start in starts[attendances[0].client])
    }


def _end(attendances: Sequence[_Attendance]) -> datetime:
    return max(one.end for one in attendances)


def _passed_on(one: _Attendance, call: Sequence[_Attendance]) -> tuple[bool, bool]:
    """Say whether an attendance was passed on (IN_TRAF), and that inside its own area (IN_TRAF_INDV)."""
    later = call[call.index(one) + 1 :]
    return bool(later), bool(later) and later[0].area == one.area


def _transfers(mine: Mapping[str, Sequence[_Attendance]], attended: Mapping[str, Sequence[_Attendance]]) -> GoldRow:
    flags = [[_passed_on(one, attended[call]) for one in ones] for call, ones in mine.items()]
    passed_on, inside = (sum(any(flag[which] for flag in call) for call in flags) for which in (0, 1))
    return {"QT_CHAM_ATEN": len(mine)} | _share("TRAF", passed_on, len(mine)) | _share("TRAF_INDV", inside, len(mine))


def _share(name: str, count: int, whole: int) -> GoldRow:
    return {f"QT_{name}": count, f"PC_{name}": _ratio(count * 100, whole)}


def _promoters(given: Sequence[int], marks: Marks) -> GoldRow:
    promoters, neutrals, detractors = _counts(given, marks)
    standard = _counts(given, STANDARD)
    return {
        "QT_PRMT": promoters,
        "QT_NTRO": neutrals,
        "QT_DETR": detractors,
        "VL_NPS": _ratio((promoters - detractors) * 100, len(given)),
        "VL_NPS_PADRAO": _ratio((standard[0] - standard[2]) * 100, len(given)),
    }


def _counts(given: Sequence[int], marks: Marks) -> tuple[int, int, int]:
    promoters = sum(mark >= marks.promoter for mark in given)
    neutrals = sum(marks.neutral <= mark < marks.promoter for mark in given)
    return promoters, neutrals, len(given) - promoters - neutrals


def _options(mine: Sequence[Record]) -> GoldRow:
    kept = [one["opcoes_navegadas"] for one in mine if not one["derivado_atendimento"]]
    passed_on = [one["opcoes_navegadas"] for one in mine if one["derivado_atendimento"]]
    return {
        "QT_CHAM": len(mine),
        "NR_MED_OPCA_NAVG": mean(kept + passed_on),
        "NR_MED_OPCA_AUTO_SERV": mean(kept),
        "NR_MED_OPCA_DERV": mean(passed_on),
        "QT_AUTN": sum(one["autenticado"] for one in mine),
        "QT_DERV_ATEN": len(passed_on),
    }


def _attended_of_queue(mine: Sequence[Record], attended: Mapping[str, Sequence[_Attendance]]) -> GoldRow:
    calls = [attended[one["id_chamada"]] for one in mine if one["id_chamada"] in attended]
    flags = [[_passed_on(one, call) for one in call] for call in calls]
    return {
        "QT_CHAM_ATEN_HUMN": len(calls),
        "QT_TRAF": sum(any(passed_on for passed_on, _ in call) for call in flags),
        "QT_TRAF_INDV": sum(any(inside for _, inside in call) for call in flags),
        "NR_MEDI_TEMP_CHAM": mean([_length(one, attended.get(one["id_chamada"])) for one in mine]),
    }


def _length(record: Record, attendances: Sequence[_Attendance] | None) -> Fraction:
    end = _end(attendances) if attendances else _instant(record["data_hora_fim"])
    return _seconds(_instant(record["data_hora_inicio"]), end)


def _key_of_day(day: date) -> GoldRow:
    return {"CD_PERI": day.year * 100 + day.month, "DT_REFE": day}


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _day(instant: datetime) -> date:
    return instant.astimezone(_LOCAL).date()


def _seconds(start: datetime, end: datetime) -> Fraction:
    return Fraction((end - start) // timedelta(microseconds=1), 1_000_000)
