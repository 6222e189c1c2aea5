"""Attention of long texts in bfloat16 is that of float32, whatever their length is rounded up to."""

from __future__ import annotations

import pytest

from pipeline.embedding.unpadded import _mixed

pytestmark = pytest.mark.model


@pytest.mark.parametrize("length", [65, 80, 97, 256])
def test_a_text_attends_to_itself_alone(length: int) -> None:
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    generator = torch.Generator().manual_seed(length)
    query, key, value = (torch.randn(length, 12, 32, generator=generator) for _ in range(3))
    heads_first = (each.transpose(0, 1) for each in (query, key, value))
    expected = scaled_dot_product_attention(*heads_first).transpose(0, 1)
    assert torch.allclose(_mixed(query, key, value), expected, atol=1e-5)
    mixed = _mixed(*(each.bfloat16() for each in (query, key, value)))
    assert mixed.shape == expected.shape
    assert torch.allclose(mixed.float(), expected, atol=0.03)
