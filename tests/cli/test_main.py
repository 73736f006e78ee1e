"""The entry point of the command line: one command is imported, errors become messages and exit codes."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib.metadata import version

import pytest
from gandl import main
from gandl.main import COMMANDS, describe, load
from gandl_shared.errors import BadInput, Invalid, Problem, Unavailable

from tests.cli.command_line import Gandl

LOADED_MODULES = """
import sys
from gandl.main import build
build(sys.argv[1:])
print(*sorted(sys.modules))
"""


def loaded_modules(*arguments: str) -> set[str]:
    """Return the modules that a new process has imported when its command line is ready."""
    process = subprocess.run(
        [sys.executable, "-c", LOADED_MODULES, *arguments], capture_output=True, text=True, timeout=60, check=True
    )
    return set(process.stdout.split())


def test_the_list_of_commands_loads_nothing_heavy() -> None:
    modules = loaded_modules("--help")
    assert not modules & {"numpy", "onnxruntime", "pandas", "scipy", "torch", "httpx", "pydantic"}
    assert not {name for name in modules if name.startswith("gandl.commands.")}


def test_only_the_module_of_the_command_is_loaded() -> None:
    modules = loaded_modules("fetch", "bbbc013", "--from", "screen")
    assert {name for name in modules if name.startswith("gandl.commands.")} == {
        "gandl.commands.data",
        "gandl.commands.data.fetch",
    }
    assert not modules & {"onnxruntime", "sklearn", "torch", "sqlalchemy"}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_of_each_command_what_its_help_says(name: str) -> None:
    documentation = inspect.getdoc(load(name))
    assert documentation is not None
    assert COMMANDS[name] == documentation.split("\n\n")[0].replace("\n", " ")


def test_the_list_shows_every_command(gandl: Gandl) -> None:
    ended = gandl("--help")
    assert ended.code == 0
    for name in COMMANDS:
        assert f" {name} " in ended.out


def test_a_misspelt_command_is_answered_with_the_nearest(gandl: Gandl) -> None:
    ended = gandl("scren")
    assert ended.code == 2
    assert "Did you mean 'screen'" in ended.err


def test_the_version(gandl: Gandl) -> None:
    ended = gandl("--version")
    assert (ended.code, ended.out) == (0, f"{version('gandl')}\n")


def test_one_problem_is_one_line_and_several_are_a_list() -> None:
    assert describe(BadInput("the file is empty")) == "gandl: the file is empty\n"
    problems = [Problem("no dose", file="map.csv", row=2), Problem("no role", file="map.csv", row=3)]
    error = Invalid("map.csv cannot be used: map.csv, row 2: no dose", problems=problems)
    assert describe(error) == (
        "gandl: map.csv cannot be used, 2 problems:\n  map.csv, row 2: no dose\n  map.csv, row 3: no role\n"
    )


def test_many_problems_of_one_kind_are_counted_and_an_option_lists_them() -> None:
    sizes = [Problem("the image is 64×64 pixels; it needs 128×128", file=f"A{i:02d}.png") for i in range(1, 1361)]
    error = Invalid("the images cannot be used: …", problems=[*sizes[:700], Problem("no dose", row=2), *sizes[700:]])
    lines = describe(error).splitlines()
    assert lines[0] == "gandl: the images cannot be used, 1361 problems:"
    assert lines[1:6] == [f"  {problem}" for problem in sizes[:5]]
    assert lines[6:8] == ["  … and 1355 more of this kind", "  row 2: no dose"]
    assert lines[8:] == ["gandl --all-problems COMMAND … lists all of them"]
    assert len(describe(error, is_complete=True).splitlines()) == 1362


@pytest.mark.parametrize(("error", "code"), [(BadInput("bad"), 2), (Unavailable("down"), 1)])
def test_an_error_ends_with_its_exit_code(
    gandl: Gandl, monkeypatch: pytest.MonkeyPatch, error: BadInput | Unavailable, code: int
) -> None:
    def fail(_name: str) -> None:
        raise error

    monkeypatch.setattr(main, "load", fail)
    ended = gandl("fetch", "x")
    assert (ended.code, ended.err) == (code, f"gandl: {error.detail}\n")


@pytest.mark.parametrize("package", ["torch", "gandl_training.run"])
def test_a_missing_training_package_is_named(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    def fail(_name: str) -> None:
        raise ModuleNotFoundError(f"No module named '{package}'", name=package)

    monkeypatch.setattr("importlib.import_module", fail)
    with pytest.raises(BadInput, match=r"gandl train needs the training package.*gandl\[train\]"):
        load("train")


def test_any_other_missing_module_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_name: str) -> None:
        raise ModuleNotFoundError("No module named 'numpy'", name="numpy")

    monkeypatch.setattr("importlib.import_module", fail)
    with pytest.raises(ModuleNotFoundError):
        load("fit")
