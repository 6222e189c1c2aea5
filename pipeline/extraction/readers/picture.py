"""Pictures: their text is recognised later, page by page. Runs in the worker processes."""

from __future__ import annotations

import io

from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.file_format import Format

_MAX_PAGES = 10_000
_SUBFILE_TYPE = 254  # the TIFF tag that tells a page from a smaller copy of another one
_REDUCED = 1


class PictureReader:
    """The pages of an image file, without text: of a TIFF file each picture is a page, other files have one."""

    def read(self, data: bytes, detected: Format) -> Content:
        try:
            return self._pages(data, detected)
        except ExtractError as error:
            if error.category != "corrupt":
                raise
            raise ExtractError(
                "corrupt", f"This is {detected.name} that is damaged and cannot be read."
            ) from error

    def _pages(self, data: bytes, detected: Format) -> Content:
        from pipeline.extraction.recognition.page_picture import open_image

        with open_image(io.BytesIO(data)) as image:
            if detected.mime != "image/tiff":
                return Content("", pages_without_text=(1,))
            numbers = []
            try:
                for number in range(1, min(getattr(image, "n_frames", 1), _MAX_PAGES) + 1):
                    image.seek(number - 1)
                    subfile = getattr(image, "tag_v2", {}).get(_SUBFILE_TYPE, 0)
                    if not isinstance(subfile, int) or not subfile & _REDUCED or number == 1:
                        numbers.append(number)
            except (OSError, SyntaxError, ValueError, EOFError, KeyError, TypeError, IndexError) as error:
                if not numbers:
                    raise ExtractError("corrupt", "The picture is damaged and cannot be read.") from error
        pages = tuple((number, 0) for number in numbers) if len(numbers) > 1 else ()
        return Content("", pages=pages, pages_without_text=tuple(numbers))
