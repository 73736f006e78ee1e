"""Small tables in the form of RxRx19a, RxRx1 and BBBC021."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

RXRX19A_HEADER = (
    "site_id,well_id,cell_type,experiment,plate,well,site,disease_condition,treatment,treatment_conc,SMILES"
)
RXRX1_HEADER = "site_id,well_id,cell_type,dataset,experiment,plate,well,site,well_type,sirna,sirna_id"
BBBC021_HEADER = (
    "TableNumber,ImageNumber,Image_FileName_DAPI,Image_PathName_DAPI,Image_FileName_Tubulin,Image_PathName_Tubulin,"
    "Image_FileName_Actin,Image_PathName_Actin,Image_Metadata_Plate_DAPI,Image_Metadata_Well_DAPI,Replicate,"
    "Image_Metadata_Compound,Image_Metadata_Concentration"
)
MOCK, IRRADIATED, VIRAL = "Mock,,,", "UV Inactivated SARS-CoV-2,,,", "Active SARS-CoV-2,,,"


def drug(name: str, dose: str) -> str:
    """Return the last cells of a well of infected cells with a compound at a dose in µM."""
    return f"Active SARS-CoV-2,{name},{dose},C1=CC=CC=C1"


def rxrx19a_rows(
    well: str, content: str, *, experiment: str = "HRCE-1", plate: int = 1, sites: Sequence[int] = (1, 2, 3, 4)
) -> list[str]:
    """Return the rows of one well, one per field of view."""
    cell_type, well_id = experiment.partition("-")[0], f"{experiment}_{plate}_{well}"
    return [f"{well_id}_{site},{well_id},{cell_type},{experiment},{plate},{well},{site},{content}" for site in sites]


def rxrx19a(*wells: Sequence[str]) -> str:
    """Return `metadata.csv` of RxRx19a with the rows of these wells."""
    return "\n".join([RXRX19A_HEADER, *(row for rows in wells for row in rows)]) + "\n"


def small_rxrx19a(experiment: str = "HRCE-1") -> str:
    """Return four controls of each kind, one irradiated well and a compound at three doses of one plate."""
    wells = [rxrx19a_rows(f"AA0{i}", MOCK, experiment=experiment) for i in (2, 3, 4, 5)]
    wells += [rxrx19a_rows(f"AB0{i}", VIRAL, experiment=experiment) for i in (2, 3, 4, 5)]
    wells += [rxrx19a_rows("AC02", IRRADIATED, experiment=experiment)]
    doses = ("0.3", "1.0", "3.0")
    wells += [
        rxrx19a_rows(f"AD0{i}", drug("Remdesivir (GS-5734)", dose), experiment=experiment)
        for i, dose in enumerate(doses, start=2)
    ]
    return rxrx19a(*wells)


def rxrx1(*wells: tuple[str, str, str]) -> str:
    """Return `metadata.csv` of RxRx1; each well is its name, its type and its siRNA."""
    rows = [
        f"HEPG2-01_1_{well}_{site},HEPG2-01_1_{well},HEPG2,train,HEPG2-01,1,{well},{site},{kind},{sirna},7"
        for well, kind, sirna in wells
        for site in (1, 2)
    ]
    return "\n".join([RXRX1_HEADER, *rows]) + "\n"


def bbbc021(*wells: tuple[str, str, str], plate: str = "Week1_22123", sites: Sequence[int] = (1, 2)) -> str:
    """Return the image table of BBBC021; each well is its name, its compound and its concentration in µM."""
    rows = [
        ",".join(
            [
                "1",
                "1",
                *(
                    cell
                    for channel in (1, 2, 4)
                    for cell in (f"Week1_150607_{well}_s{site}_w{channel}A1-B2.tif", f"Week1/{plate}")
                ),
                plate,
                well,
                "1",
                compound,
                dose,
            ]
        )
        for well, compound, dose in wells
        for site in sites
    ]
    return "\n".join([BBBC021_HEADER, *rows]) + "\n"


def write(path: Path, text: str) -> Path:
    """Write a table and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
