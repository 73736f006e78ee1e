"""The Snakemake example runs a command that exists, and promises files that this command writes."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import yaml

from tests.cases.plates import write_images, write_plate_map

EXAMPLE = Path(__file__).parents[2] / "examples" / "snakemake"
MODELS = EXAMPLE.parents[1] / "models"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def test_its_step_runs_and_writes_what_it_promises(tmp_path: Path, gandl: Run) -> None:
    text = (EXAMPLE / "Snakefile").read_text()
    config = yaml.safe_load((EXAMPLE / "config.yaml").read_text())
    assert list(config["plates"]) == ["plate-1", "plate-2"]
    images, plate_map = write_images(tmp_path / "images"), write_plate_map(tmp_path / "map.csv")
    values = {
        "{input.images}": images,
        "{input.platemap}": plate_map,
        "{input.model}": MODELS / Path(config["model"]).name,
        "results/{wildcards.plate}": tmp_path / "out",
        "{threads}": 1,
    }
    command = "".join(re.findall(r'^        "(.*)"$', text.split("shell:")[1], re.MULTILINE)).split(" > ")[0]
    words = [str(values.get(word, word)) for word in command.split()]
    assert words[0] == "gandl"
    ran = gandl(*words[1:])
    assert ran.returncode == 0, ran.stderr
    promised = re.findall(r'"results/\{plate\}/([\w.]+)",', text.split("output:")[1].split("log:")[0])
    assert len(promised) == 4
    assert all((tmp_path / "out" / name).exists() for name in promised)
