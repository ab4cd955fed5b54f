"""Validation by ``fhir.resources``: R4 (with its R4B models, which R4 resources fit) and R5."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

from medfab_gateway.ehr.errors import BundleError
from medfab_gateway.errors import MedfabError

FIELD_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}")


class FhirVersion(StrEnum):
    """The release of FHIR that a resource is written in."""

    R4 = "R4"
    R5 = "R5"


def validate(
    content: dict[str, Any],
    version: FhirVersion,
    *,
    place: str,
    error: type[MedfabError] = BundleError,
) -> None:
    """Raise ``error`` at the first fault of a resource: ``place``, the element, the kind of fault.

    Never a value. The models are imported on first use, which can take seconds.
    """
    resource_type = content.get("resourceType")
    if not isinstance(resource_type, str) or not FIELD_NAME.fullmatch(resource_type):
        raise error(f"{place}: has no resourceType")
    fault = _fault(resource_type, content, version)
    if fault is not None:
        # Outside of the handlers: what was caught quotes the value.
        raise error(f"{place}: {fault}")


def element_path(location: tuple[int | str, ...]) -> str:
    """``name[0].family`` for a place in a resource; what cannot be a FHIR name is ``?``."""
    path = ""
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            # A name that cannot be FHIR's comes from the data, and might be a value.
            path += f".{step if FIELD_NAME.fullmatch(step) else '?'}"
    return path.removeprefix(".")


def _fault(resource_type: str, content: dict[str, Any], version: FhirVersion) -> str | None:
    try:
        from pydantic import ValidationError

        if version is FhirVersion.R4:
            from fhir.resources.R4B import get_fhir_model_class
        else:
            from fhir.resources import get_fhir_model_class
    except ImportError as error:
        raise BundleError(
            "validating FHIR needs the extra: pip install 'medfab-gateway[ehr]'"
        ) from error
    try:
        model = get_fhir_model_class(resource_type)
    except (ValueError, LookupError):
        return f"is not a resource type of FHIR {version}"
    try:
        model.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False, include_url=False)[0]
        location = first["loc"]
        if first["type"] == "extra_forbidden":  # the name is none of FHIR's: it might be a value
            location = (*location[:-1], "")
        return f"{element_path(location)}: {first['type']}"
    except (ValueError, TypeError, ArithmeticError):
        return "does not fit its FHIR definition"
    return None
