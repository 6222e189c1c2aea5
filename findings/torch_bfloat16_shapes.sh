#!/bin/sh
# torch 2.13.0 (CPU): a product of matrices in bfloat16 keeps compiled code for each shape that it has met.
#
# On processors with instructions for bfloat16, torch.matmul of batches goes through oneDNN, which compiles a kernel for
# each combination of batch and sizes and keeps up to 1 024 of them. Attention over texts of many lengths, each with its
# own batch, meets hundreds of shapes: the process grows by hundreds of megabytes that belong to no tensor, and the first
# call of each shape takes a multiple of the second. The same shapes in float32, or one shape in bfloat16, keep next to
# nothing, and torch.nn.functional.scaled_dot_product_attention in bfloat16 has no such growth.
#
# Seen with 600 shapes, one thread: float32 + 7 MB, attention + 1 MB, one shape in bfloat16 + 0 MB, all + 377 MB, and
# their first calls took 5.5 times as long as the second ones.
# Exits with 0 as long as that is so, or if the processor has no such instructions.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 numpy
cat > "$folder/try.py" <<'PYTHON'
import sys
import time

import torch
from torch.nn.functional import scaled_dot_product_attention

if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
    print("This processor has no instructions for bfloat16.")
    sys.exit()
torch.set_num_threads(1)
SHAPES = [(12 * number, length) for length in range(20, 60) for number in range(1, 16)]


def private_mb():
    with open("/proc/self/status") as file:
        [line] = [each for each in file if each.startswith("RssAnon")]
    return int(line.split()[1]) / 1024


def product(rows):
    return torch.matmul(rows, rows.transpose(1, 2))


def attention(rows):
    return scaled_dot_product_attention(rows[None], rows[None], rows[None])


def growth(call, shapes, dtype):
    """Megabytes that 600 calls add, and the seconds of all first and all second calls of a shape."""
    call(torch.ones((2, 17, 32), dtype=dtype))
    before, first, second = private_mb(), 0.0, 0.0
    for batch, length in shapes:
        rows = torch.ones((batch, length, 32), dtype=dtype)
        began = time.perf_counter()
        call(rows)
        middle = time.perf_counter()
        call(rows)
        second += time.perf_counter() - middle
        first += middle - began
    return private_mb() - before, first, second


float32 = growth(product, SHAPES, torch.float32)
attended = growth(attention, SHAPES, torch.bfloat16)
one = growth(product, [SHAPES[0]] * len(SHAPES), torch.bfloat16)
many = growth(product, SHAPES, torch.bfloat16)
for name, (mb, first, second) in {
    "float32, 600 shapes": float32,
    "attention in bfloat16, 600 shapes": attended,
    "bfloat16, one shape": one,
    "bfloat16, 600 shapes": many,
}.items():
    print(f"{name}: + {mb:.0f} MB, first calls {first / second:.1f} times the second ones")
assert many[0] > 20 and many[0] > 4 * max(float32[0], attended[0], one[0])
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
