"""A new screen: choose a folder or upload one, see what it holds and what the plate map says, and start."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query, Request, Response
from gandl_shared.errors import Invalid, Problem, raise_if
from gandl_shared.schemas.screen import ScreenRequest
from gandl_shared.web.requests.access import session_of_request
from gandl_shared.web.requests.bodies import BodyLimit
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from gandl_analysis.api.provider import Provider
from gandl_analysis.pages.forms.actions import parameters_of
from gandl_analysis.pages.forms.form import read_form, see_other
from gandl_analysis.pages.forms.plate_grids import plate_grids
from gandl_analysis.pages.frame.answers import base_path, page_router, render_page
from gandl_analysis.pages.frame.problems import grouped
from gandl_analysis.service.intake.folders import FolderView, view_folder

MAX_PLATES = 20
PathText = Annotated[str, Query(max_length=4096)]


def router(services: Provider) -> APIRouter:
    """Return the routes of a new screen. Every choice is in the address, so that a reload keeps it."""
    routes = page_router()

    @routes.get("/new")
    def show_new(
        request: Request,
        folder: PathText = "",
        plate_map: Annotated[str, Query(alias="map", max_length=4096)] = "",
        model: Annotated[str, Query(max_length=200)] = "",
        check: Annotated[bool, Query(description="look at the images and the plate map")] = False,
    ) -> Response:
        """The folder, the plate map, the model, and what they are together."""
        open_services = services()
        root = open_services.settings.image_root
        view = view_folder(root, folder)
        look = (
            open_services.intake.preview(folder=view.path, plate_map=plate_map or None, model=model or None)
            if check and view.path
            else None
        )
        return render_page(
            "new_screen.html",
            base=base_path(request),
            session=session_of_request(request),
            view=view,
            tables=_tables_near(root, view),
            plate_map=plate_map,
            model=model,
            look=look,
            problems=grouped(look.problems) if look else (),
            grids=plate_grids(look.plate_map.wells)[:MAX_PLATES] if look and look.plate_map else (),
            max_upload_mb=open_services.settings.max_upload_mb,
        )

    @routes.post("/new/archive")
    async def add_archive(request: Request) -> Response:
        intake = services().intake
        form = await read_form(request, _upload_limit(intake.uploads.max_bytes))
        file = form.file("archive")
        if file is None:
            raise_if([Problem("choose a .zip archive first", field="archive")], Invalid, "nothing was uploaded")
            raise AssertionError
        path = await run_in_threadpool(intake.uploads.add_archive, file.filename or "upload.zip", file.file)
        return see_other(_address(request, folder=path, plate_map=form.text("map")))

    @routes.post("/new/plate-map")
    async def add_plate_map(request: Request) -> Response:
        intake = services().intake
        form = await read_form(request, _upload_limit(60_000_000))
        file = form.file("file")
        if file is None:
            raise_if([Problem("choose a plate map first", field="file")], Invalid, "nothing was uploaded")
            raise AssertionError
        path = await run_in_threadpool(intake.uploads.add_plate_map, file.filename or "map.csv", file.file)
        return see_other(_address(request, folder=form.text("folder"), plate_map=path, check="1"))

    @routes.post("/new/start")
    async def start(request: Request) -> Response:
        form = await read_form(request)
        fields = {
            "images": form.text("folder"),
            "plate_map": form.text("map"),
            "model": form.optional("model"),
            "name": form.optional("name"),
            "limits": form.text("limits") or "plate",
            "analysis": parameters_of(form),
        }
        try:
            wish = ScreenRequest.model_validate(fields)
        except ValidationError as error:
            problems = [Problem(each["msg"], field=".".join(map(str, each["loc"]))) for each in error.errors()]
            raise_if(problems, Invalid, "the screen cannot be started")
            raise
        status = await run_in_threadpool(services().submissions.submit, wish)
        return see_other(f"{base_path(request)}/ui/screens/{quote(status.id, safe='')}")

    @routes.post("/new/open")
    async def open_folder(request: Request) -> Response:
        form = await read_form(request)
        images = form.optional("images")
        screen = await run_in_threadpool(services().intake.open_output, form.text("folder"), images)
        return see_other(f"{base_path(request)}/ui/screens/{quote(screen, safe='')}")

    return routes


def _tables_near(root: Path, view: FolderView) -> list[str]:
    """Paths of the files that may be the plate map: in the folder of the images, and in the folder above it."""
    paths = [view.below(name) for name in view.tables]
    if view.path:
        above = view_folder(root, view.path.rpartition("/")[0])
        paths += [above.below(name) for name in above.tables]
    return paths


def _upload_limit(max_bytes: int) -> BodyLimit:
    return BodyLimit(
        max_bytes + 2**20, "upload fewer images at once, or copy them below the image folder of the server"
    )


def _address(request: Request, *, folder: str, plate_map: str, **further: str) -> str:
    query = {"folder": folder, **({"map": plate_map} if plate_map else {}), **further}
    return f"{base_path(request)}/ui/new?{urlencode(query)}"
