"""Examples of requests and answers for the specification. Their numbers are shortened: real vectors have more."""

from __future__ import annotations

from gandl_embedding.api.tensors import INPUT, OUTPUT

_NAME, _ID = "gandl-bbbc013-64", "0f" * 32
_LIMITS = {"low": [120.0, 90.0], "high": [4100.0, 3300.0]}
EMBEDDINGS = {
    "tiles": {
        "summary": "two tiles of one image",
        "value": {
            "model": _NAME,
            "model_id": _ID,
            "pool": "tiles",
            "limits": _LIMITS,
            "intensities": None,
            "images": [{"name": "B07_s1.tif", "tiles": 2, "error": None}],
            "vectors": [[0.113, -0.024], [0.109, -0.031]],
            "encoded": None,
        },
    },
    "keep_going": {
        "summary": "`keep_going`: one of two images cannot be used",
        "value": {
            "model": _NAME,
            "model_id": _ID,
            "pool": "mean",
            "limits": _LIMITS,
            "intensities": None,
            "images": [
                {"name": "B07_s1.tif", "tiles": 9, "error": None},
                {"name": "B07_s2.tif", "tiles": 0, "error": "B07_s2.tif is cut off"},
            ],
            "vectors": [[0.111, -0.027]],
            "encoded": None,
        },
    },
}
FIELDS = {
    "summary": "raw fields from numpy",
    "description": "`numpy.save(file, fields)`, with `fields` uint16 `[N, C, H, W]`, and then "
    "`curl --data-binary @file -H 'Content-Type: application/x-npy' …/embed`",
}
MODEL = {
    "name": _NAME,
    "id": _ID,
    "default": True,
    "provider": "CPUExecutionProvider",
    "numerics": {
        "provider": "cpu",
        "precision": "float32",
        "device": "x86_64 avx2",
        "runtime": "onnxruntime 1.22.0",
        "batch": "16",
    },
    "card": {
        "name": _NAME,
        "channels": [
            {"name": "GFP", "stain": "FKHR-EGFP", "low": 120.0, "high": 4100.0},
            {"name": "DNA", "stain": "DRAQ", "low": 90.0, "high": 3300.0},
        ],
        "size": 64,
        "downscale": 2,
        "features": 512,
        "tap": "multi",
        "parameters": 1970305,
        "training": {
            "data": "BBBC013v1, all 96 wells, without labels",
            "licence": "CC BY 3.0",
            "kimg": 60.0,
            "seed": 0,
            "command": "gandl train data/bbbc013/images --platemap data/bbbc013/platemap.csv --out RUN",
            "version": "0.1.0",
        },
    },
    "limits": {
        "body_bytes": 67108864,
        "files": 200,
        "pixels": 67108864,
        "tiles": 4096,
        "batch_tiles": 256,
        "queue_seconds": 8.0,
        "deadline_seconds": 120.0,
    },
}
INFERENCE_REQUEST = {
    "id": "42",
    "inputs": [{"name": INPUT, "shape": [1, 2, 1, 2], "datatype": "UINT16", "data": [120, 800, 310, 4100]}],
}
INFERENCE = {
    "model_name": _NAME,
    "model_version": _ID,
    "id": "42",
    "outputs": [{"name": OUTPUT, "datatype": "FP32", "shape": [1, 3], "data": [0.113, -0.024, 0.207]}],
}
