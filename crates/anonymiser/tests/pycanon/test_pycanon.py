"""pyCANON measures our releases, and agrees with what we measured of them."""

import copy
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pycanon import anonymity
from pycanon.anonymity.utils.aux_anonymity import get_equiv_class
from pycanon.metrics import max_rir
from scipy.stats import entropy

FOLDER = Path(os.environ["MEDSHARE_MEASURED"])
CASES: list[dict[str, Any]] = json.loads((FOLDER / "cases.json").read_text())
TOLERANCE = 1e-9

Figure = tuple[str, float, float]


def table(case: dict[str, Any]) -> pd.DataFrame:
    return pd.read_csv(FOLDER / case["file"], dtype=str, keep_default_na=False)


def ranked(column: pd.Series) -> pd.Series:
    """Numbers as they are; texts as their places in the order of their bytes."""
    try:
        return column.astype(float)
    except ValueError:
        order = sorted(column.unique(), key=lambda value: value.encode())
        return column.map({value: place for place, value in enumerate(order)})


def counts_of(data: pd.DataFrame, quasi: list[str], column: str) -> list[np.ndarray]:
    """How often the values of a column stand in each of pyCANON's classes, the most frequent first."""
    classes = get_equiv_class(data, quasi)
    return [data[column].iloc[rows].value_counts().to_numpy() for rows in classes]


def of_column(data: pd.DataFrame, quasi: list[str], found: dict[str, Any]) -> Iterator[Figure]:
    column = found["column"]
    counts = counts_of(data, quasi, column)
    numbers = data.assign(**{column: ranked(data[column])})
    yield "distinct_l", found["distinct_l"], anonymity.l_diversity(data, quasi, [column])
    yield "entropy_l", found["entropy_l"], math.exp(min(entropy(count) for count in counts))
    # A whole number may come out a little below itself.
    whole = anonymity.entropy_l_diversity(data, quasi, [column])
    near = {math.floor(found["entropy_l"] + step) for step in (-TOLERANCE, TOLERANCE)}
    yield "whole part of entropy_l", whole if whole in near else found["entropy_l"], whole
    others = min(count[1:].sum() for count in counts)
    expected = None if others == 0 else max(count[0] / count[1:].sum() for count in counts)
    yield "recursive_c", number(found["recursive_c"]), number(expected)
    yield "t_equal", found["t_equal"], anonymity.t_closeness(data, quasi, [column])
    yield "t_ordered", found["t_ordered"], anonymity.t_closeness(numbers, quasi, [column])
    nats = anonymity.delta_disclosure(data, quasi, [column])
    yield "delta_present", found["delta_present"], nats / math.log(2)
    is_whole = min(len(count) for count in counts) == data[column].nunique()
    yield "delta", number(found["delta"]), nats / math.log(2) if is_whole else -1.0
    yield "beta", found["beta"], anonymity.basic_beta_likeness(data, quasi, [column])
    yield "guessed", found["guessed"], sum(count[0] for count in counts) / len(data)
    most = data[column].value_counts().iloc[0]
    yield "guessed_blindly", found["guessed_blindly"], most / len(data)


def number(value: float | None) -> float:
    """What is missing is a number that no figure is."""
    return -1.0 if value is None else value


def figures(case: dict[str, Any]) -> Iterator[Figure]:
    """Each figure as we measured it and as pyCANON does."""
    data, quasi, measures = table(case), case["quasi_identifiers"], case["measures"]
    classes = get_equiv_class(data, quasi)
    yield "rows", measures["rows"], len(data)
    yield "k", measures["k"], anonymity.k_anonymity(data, quasi)
    yield "classes", measures["classes"], len(classes)
    yield "unique_share", measures["unique_share"], sum(len(rows) == 1 for rows in classes) / len(data)
    yield "prosecutor_highest", measures["risks"]["prosecutor_highest"], max_rir(data, quasi)
    yield "expected", measures["linkage"]["expected"], len(classes) / len(data)
    for found in measures["sensitive"]:
        for name, ours, theirs in of_column(data, quasi, found):
            yield f"{found['column']}: {name}", ours, theirs


def disagreements(case: dict[str, Any]) -> list[str]:
    return [
        f"{name}: {ours} of ours, {theirs} of pyCANON's"
        for name, ours, theirs in figures(case)
        if not abs(ours - theirs) <= TOLERANCE
    ]


def test_there_are_cases_of_every_kind() -> None:
    kinds = {case["name"].split("-")[-1] for case in CASES}
    assert {"k", "l", "entropy", "recursive", "equal", "ordered", "delta"} <= kinds
    assert all(len(case["measures"]["sensitive"]) == 2 for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_both_agree(case: dict[str, Any]) -> None:
    assert disagreements(case) == []


@pytest.mark.parametrize("name", ["distinct_l", "entropy_l", "recursive_c", "t_equal", "t_ordered", "delta_present", "beta", "guessed"])
def test_a_wrong_figure_is_noticed(name: str) -> None:
    case = copy.deepcopy(next(case for case in CASES if case["name"].startswith("random")))
    found = case["measures"]["sensitive"][0]
    found[name] = number(found[name]) + 1e-6
    assert [text.split(": ")[1] for text in disagreements(case)] == [name]
