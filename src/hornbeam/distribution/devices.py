"""The devices of the process."""

from __future__ import annotations

import os

from hornbeam import backends


def list_devices(device_type: str | None = None) -> list[str]:
    """Return the names of the devices of one type, such as `["cpu:0"]`.

    Args:
        device_type: "cpu", "gpu" or "tpu". Default: the type on which the engine in
            force computes by default.

    >>> import hornbeam as keras
    >>> keras.distribution.list_devices("cpu")[0]
    'cpu:0'
    """
    return backends.current().devices(device_type)


def get_device_count(device_type: str | None = None) -> int:
    """Return the number of devices of one type.

    Args:
        device_type: "cpu", "gpu" or "tpu". Default: the type on which the engine in
            force computes by default.

    >>> import hornbeam as keras
    >>> keras.distribution.get_device_count() == len(keras.distribution.list_devices())
    True
    """
    return len(list_devices(device_type))


def initialize(
    job_addresses: str | None = None,
    num_processes: int | None = None,
    process_id: int | None = None,
) -> None:
    """Prepare for the processes of a job: hornbeam computes in one process.

    Args:
        job_addresses: the addresses of the processes, separated by commas. Default:
            the environment variable `KERAS_DISTRIBUTION_JOB_ADDRESSES`.
        num_processes: how many processes there are. Default: the environment variable
            `KERAS_DISTRIBUTION_NUM_PROCESSES`, or one for each address.
        process_id: the number of this process, from 0. Default: the environment
            variable `KERAS_DISTRIBUTION_PROCESS_ID`.

    Raises:
        NotImplementedError: if the job has several processes.

    >>> import hornbeam as keras
    >>> keras.distribution.initialize(num_processes=1)
    """
    prefix = "KERAS_DISTRIBUTION_"
    addresses = job_addresses or os.environ.get(f"{prefix}JOB_ADDRESSES", "")
    number = num_processes or os.environ.get(f"{prefix}NUM_PROCESSES")
    processes = int(number) if number else len(addresses.split(","))
    if processes > 1:
        raise NotImplementedError(
            f"initialize() was asked for a job of {processes} processes, which exists "
            "in Keras and not yet in hornbeam: a program computes in one process. "
            "A search over many models can use several: see `hornbeam.wrappers`."
        )
