"""Parquet files whose checksums are verified, and whose damage is told in a sentence."""

from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.errors import Refused


class Parquet(pq.ParquetFile):
    """A ParquetFile; reading a damaged page of it is refused."""

    def __init__(self, path):
        self.path = path
        try:
            super().__init__(path, page_checksum_verification=True)
        except (pa.ArrowInvalid, OSError) as error:
            raise Refused(
                f"{path} is cut off or not a Parquet file ({error}); make it again"
            ) from None

    def read(self, *args, **more):
        """Arrow table of the whole file."""
        with self._whole():
            return super().read(*args, **more)

    def read_row_group(self, *args, **more):
        """Arrow table of one episode."""
        with self._whole():
            return super().read_row_group(*args, **more)

    @contextmanager
    def _whole(self):
        try:
            yield
        except (pa.ArrowInvalid, OSError) as error:
            raise Refused(f"{self.path} is damaged ({error}); make it again") from None
