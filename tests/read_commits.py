"""An independent reader of roots: for each folder on standard input, `whole`, or what is wrong with what its newest commit names.

Folders may also be `s3://bucket/prefix`, with the endpoint in AWS_ENDPOINT.
"""

import json
import os
import sys

import pyarrow.fs
import pyarrow.parquet


def opened(root):
    if root.startswith("s3://"):
        endpoint = os.environ["AWS_ENDPOINT"].removeprefix("http://")
        return pyarrow.fs.S3FileSystem(endpoint_override=endpoint, scheme="http", region="us-east-1"), root.removeprefix("s3://")
    return pyarrow.fs.LocalFileSystem(), root


def check(root):
    files, base = opened(root)

    def read(path):
        with files.open_input_stream(f"{base}/{path}") as stream:
            return stream.read()

    found = files.get_file_info(pyarrow.fs.FileSelector(f"{base}/_commits", allow_not_found=True))
    names = sorted(f.base_name for f in found if f.base_name.endswith(".json"))
    if not names:
        raise ValueError("there is no commit")
    commit = json.loads(read(f"_commits/{names[-1]}"))
    for pointer in [commit["load"], *commit["runs"].values()]:
        if pointer is None:
            continue
        manifest = json.loads(read(pointer["manifest"]))
        for file in manifest["files"]:
            content = read(file["path"])
            if len(content) != file["bytes"]:
                raise ValueError(f"{file['path']} has {len(content)} bytes, not {file['bytes']}")
            rows = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(content)).read().num_rows
            if rows != file["rows"]:
                raise ValueError(f"{file['path']} has {rows} rows, not {file['rows']}")
        for file in manifest.get("companions", []):
            if len(read(file["path"])) != file["bytes"]:
                raise ValueError(f"{file['path']} is not whole")


for line in sys.stdin:
    try:
        check(line.strip())
        print("whole", flush=True)
    except Exception as e:  # whatever it is, the test says it
        print(f"{type(e).__name__}: {e}".replace("\n", " "), flush=True)
