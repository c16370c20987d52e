"""A briefing put together from a finished forecast."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from sim.analysis.naive import PastFigure
from sim.analysis.published import Published
from sim.errors import RunError
from sim.figures import Name
from sim.report.brief.against import against
from sim.report.brief.answer import answer
from sim.report.brief.beside import read_beside
from sim.report.brief.board import board
from sim.report.brief.change import change
from sim.report.brief.document import Brief, Section, Tongue
from sim.report.brief.drivers import drivers
from sim.report.brief.grounds import assumptions, method, origin
from sim.report.brief.observed import observed
from sim.report.brief.targets import chosen, target_sections

TITLE = Name(zh="规划目标达成可能性研判", en="How likely is the plan to reach its targets?")
NUMERALS = "一二三四五六七八九十"


def compose(
    published: Published,
    language: Tongue,
    *,
    targets: Sequence[str] = (),
    past: Sequence[PastFigure] = (),
    compare: Path | None = None,
    day: date,
) -> Brief:
    """The briefing in one language.

    Args:
        targets: that get a section with charts; none: the district's least likely.
        past: figures published for dates before the plan, shown in the charts.
        compare: what ``pudong compare`` left, its directory or compare.json: of other scenarios
            with this one, or of this one with its baseline.
        day: its date.

    Raises:
        ScenarioError: the plan has no such target.
        RunError: the comparison, or what lies beside the forecast, is damaged or of another.
    """
    few = chosen(published, targets)
    beside = read_beside(published, [target.id for target in few], compare)
    sections = [answer(published, language), board(published, language)]
    if beside.against is not None:
        sections.append(against(*beside.against, published.finished.inputs, language))
    if beside.observed is not None:
        sections.append(observed(published, beside.observed, language))
    sections += [
        *target_sections(published, few, past, language, named=bool(targets)),
        *drivers(published, few, beside.explanations, language),
        *change(published, few, beside.comparison, language, alone=beside.against is None),
        assumptions(published, language),
        method(published, language),
        origin(published, day, language),
    ]
    summary, plan = published.summary, published.plan
    written = Name(zh=f"{day.year}年{day.month}月{day.day}日", en=f"{day.day} {day:%B %Y}")
    facts = Name(
        zh=f"情景：{summary.scenario.name.zh}　模拟{summary.runs:,}次　{written.zh}",
        en=f"Scenario: {summary.scenario.name.en} · {summary.runs:,} runs · {written.en}",
    )
    foot = Name(
        zh=f"pudong-sim {summary.versions.pudong_sim}，{summary.runs:,}次模拟，"
        f"随机种子{summary.seed}，{written.zh}",
        en=f"pudong-sim {summary.versions.pudong_sim}, {summary.runs:,} runs, "
        f"seed {summary.seed}, {written.en}",
    )
    return Brief(
        language,
        TITLE[language],
        plan.name[language],
        facts[language],
        foot[language],
        _numbered(sections, language),
        [summary.scenario.id, plan.id],
    )


def day_of(text: str | None) -> date:
    """The briefing's date; today where none is given. Raises RunError for anything but a day."""
    try:
        return date.fromisoformat(text) if text else date.today()
    except ValueError:
        raise RunError(f"--date: found {text!r}; a day is written like 2026-11-24") from None


def _numbered(sections: Sequence[Section], language: Tongue) -> list[Section]:
    """一、二、 before main headings and （一）（二） before those below, as is the custom."""
    if language != "zh":
        return list(sections)
    done, main, part = [], 0, 0
    for section in sections:
        main, part = (main + 1, 0) if section.level == 1 else (main, part + 1)
        mark = f"{_numeral(main)}、" if section.level == 1 else f"（{_numeral(part)}）"
        done.append(Section(mark + section.title, section.blocks, section.level))
    return done


def _numeral(number: int) -> str:
    """1 to 99 in Chinese."""
    tens, ones = divmod(number, 10)
    last = NUMERALS[ones - 1] if ones else ""
    if not tens:
        return last
    return ("" if tens == 1 else NUMERALS[tens - 1]) + "十" + last
