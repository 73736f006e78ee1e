"""The label probe of one featurizer on a folder of images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from gandl_science.arrays import Index
from gandl_science.assay.label_probe import LabelProbe, probe_labels
from gandl_shared.errors import NotEnoughData
from gandl_shared.models import Embedder, ModelCard
from threadpoolctl import threadpool_limits

from gandl.probing.folders import ImageFolder
from gandl.probing.labels import LabelledImages, labelled_images
from gandl.probing.vectors import image_vectors

MAX_LABELS = 200


@dataclass(frozen=True, kw_only=True)
class ProbedModel:
    """A featurizer with its probe. `labels` name the rows of the confusion; `groups_of_label` counts the groups of
    each, and `left_out` the images without a label or a group."""

    card: ModelCard
    probe: LabelProbe
    labels: tuple[str, ...]
    groups_of_label: tuple[int, ...]
    groups: int
    left_out: int

    @property
    def images(self) -> int:
        """The number of images."""
        return int(self.probe.confusion.sum())

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the figures must know: images without a label, and labels that could not be learned."""
        notes = [f"{self.left_out} images without a label or a group were left out"] if self.left_out else []
        alone = [label for label, n in zip(self.labels, self.groups_of_label, strict=True) if n == 1]
        if alone:
            notes.append(f"in one group only, so never right, because it is held out as a whole: {', '.join(alone)}")
        unseen = int(self.probe.unseen.sum())
        if unseen and not alone:
            notes.append(f"{unseen} images were held out together with all others of their label")
        return tuple(notes)


def probe_model(
    folder: ImageFolder,
    embedder: Embedder,
    labels: str,
    groups: str,
    on_images: Callable[[int, int], None] = lambda *_: None,
) -> ProbedModel:
    """Embed the images of a folder, and probe them by two of their columns.

    `on_images` gets the number of images so far and of all. Raises NotEnoughData where the columns allow no probe, and
    what the images raise.
    """
    prepared = folder.prepared(embedder.card)
    images = labelled_images(prepared.sites, prepared.columns, labels, groups)
    # The columns are checked before an hour of embedding.
    check_probe(images, labels, groups)
    count = len(images.sites)
    vectors = image_vectors(images.sites, prepared.preparation, embedder, lambda number: on_images(number, count))
    names, label = _numbers(images.labels)
    n_groups, group = _numbers(images.groups)
    with threadpool_limits(1, user_api="blas"):
        probe = probe_labels(vectors, label, group)
    return ProbedModel(
        card=embedder.card,
        probe=probe,
        labels=names,
        groups_of_label=tuple(np.unique(group[label == k]).size for k in range(len(names))),
        groups=len(n_groups),
        left_out=images.left_out,
    )


def check_probe(images: LabelledImages, labels: str, groups: str) -> None:
    """Raise NotEnoughData where labels and groups allow no probe."""
    names, label = _numbers(images.labels)
    kinds, group = _numbers(images.groups)
    for option, column, values in (("--labels", labels, names), ("--groups", groups, kinds)):
        if len(values) < 2:
            raise NotEnoughData(f"{option} {column} has {len(values)} value ({', '.join(values)}); a probe needs two")
    if len(names) > MAX_LABELS:
        raise NotEnoughData(f"--labels {labels} has {len(names)} values; a probe tells at most {MAX_LABELS} apart")
    if all(np.unique(group[label == k]).size == 1 for k in range(len(names))):
        raise NotEnoughData(
            f"each value of --labels {labels} is in one group of --groups {groups} only, so that none can be held out "
            "and learned at once; give groups that hold several labels, such as plates"
        )


def _numbers(values: Sequence[str]) -> tuple[tuple[str, ...], Index]:
    """Return the different values, sorted, and the number of each value among them."""
    names, numbers = np.unique(np.array(values), return_inverse=True)
    return tuple(map(str, names)), numbers.astype(np.intp)
