"""A small cross-encoder that was trained for a few steps, so that it does reorder: it knows one pair of words."""

from __future__ import annotations

from pathlib import Path

WORDS = ("question", "answer", "noise", "lamp", "river", "stone")


def save_cross_encoder(folder: Path, labels: int = 1) -> None:
    """A BERT of a few thousand weights: texts with the word "answer" score higher than those without.

    With several `labels` it gives as many numbers for each text, of which the first was trained.
    """
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    torch.manual_seed(0)
    vocabulary = {word: number for number, word in enumerate(("[PAD]", "[CLS]", "[SEP]", "[UNK]", *WORDS))}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        unk_token="[UNK]",
        model_max_length=64,
    )
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        num_labels=labels,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    model = BertForSequenceClassification(config)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    # A chunk's text comes after the title of its document, which the tokenizer does not know.
    fillers = ["noise", "lamp", "noise stone", "river lamp", "question lamp", "lamp river stone", "question"]
    others = [title + text for title in ("", "one two ") for text in fillers]
    answers = [f"answer {text}" for text in others] + [f"{text} answer" for text in others]
    others += [" ".join(reversed(text.split())) for text in others]
    batch = fast([("question", text) for text in answers + others], padding=True, return_tensors="pt")
    labels = torch.tensor([1.0] * len(answers) + [0.0] * len(others))
    for _ in range(60):
        optimizer.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(**batch).logits[:, 0], labels)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
