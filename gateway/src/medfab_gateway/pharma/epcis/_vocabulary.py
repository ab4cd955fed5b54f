"""The standard words of CBV 2.0, and their forms: bare, URN, web address, compact."""

from __future__ import annotations

from dataclasses import dataclass


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """One list of standard words."""

    name: str
    """What one of them is called."""
    urn: str
    """Begins the form of EPCIS 1.x; empty: there is none."""
    web: str
    """Begins the web address of a word."""
    compact: str
    """Begins the compact form."""
    words: frozenset[str]

    def bare(self, value: str) -> str | None:
        """The bare word, of any form; None where it is not one of the standard's."""
        for start in (self.urn, self.web, self.compact, ""):
            if value.startswith(start) and value[len(start) :] in self.words:
                return value[len(start) :]
        return None

    def claims(self, value: str) -> bool:
        """Whether the form says that it is a standard word."""
        return any(
            start and value.startswith(start) for start in (self.urn, self.web, self.compact)
        )


def _cbv(name: str, urn: str, kind: str, words: str) -> Vocabulary:
    return Vocabulary(
        name=name,
        urn=f"urn:epcglobal:cbv:{urn}:" if urn else "",
        web=f"https://ref.gs1.org/cbv/{kind}-",
        compact=f"cbv:{kind}-",
        words=_words(words),
    )


BIZ_STEP = _cbv(
    "business step", "bizstep", "BizStep",
    "accepting arriving assembling collecting commissioning consigning creating_class_instance "
    "cycle_counting decommissioning departing destroying disassembling dispensing encoding "
    "entering_exiting holding inspecting installing killing loading other packing picking "
    "receiving removing repackaging repairing replacing reserving retail_selling sampling "
    "sensor_reporting shipping staging_outbound stock_taking stocking storing transporting "
    "unloading unpacking void_shipping",
)  # fmt: skip
DISPOSITION = _cbv(
    "disposition", "disp", "Disp",
    "active available completeness_verified completeness_inferred conformant container_closed "
    "container_open damaged destroyed dispensed disposed encoded expired in_progress in_transit "
    "inactive mismatch_instance mismatch_class mismatch_quantity needs_replacement "
    "no_pedigree_match non_conformant non_sellable_other partially_dispensed recalled reserved "
    "retail_sold returned sellable_accessible sellable_not_accessible stolen unavailable unknown",
)  # fmt: skip
BIZ_TRANSACTION = _cbv(
    "business transaction type", "btt", "BTT",
    "bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt",
)  # fmt: skip
SOURCE_DESTINATION = _cbv(
    "source or destination type", "sdt", "SDT", "owning_party possessing_party location"
)
ERROR_REASON = _cbv("error reason", "er", "ER", "did_not_occur incorrect_data")
COMPONENT = _cbv(
    "component", "", "Comp",
    "x y z axial_distance azimuth height spherical_radius polar_angle elevation_angle easting "
    "northing latitude longitude altitude",
)  # fmt: skip

_GS1 = "https://gs1.org/voc/"
MEASUREMENT = Vocabulary(
    name="measurement type", urn="", web=_GS1, compact="gs1:",
    words=_words(
        "AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Radioactivity Altitude "
        "AmountOfSubstance AmountOfSubstancePerUnitVolume Angle AngularAcceleration "
        "AngularMomentum AngularVelocity Area Capacitance Conductance Conductivity Count Density "
        "Dimensionless DoseEquivalent DoseEquivalentRate DynamicViscosity ElectricCharge "
        "ElectricCurrent ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force "
        "Frequency Illuminance Inductance Irradiance KinematicViscosity Length LinearMomentum "
        "Luminance LuminousFlux LuminousIntensity MagneticFlux MagneticFluxDensity "
        "MagneticVectorPotential Mass MassConcentration MassFlowRate MassPerAreaTime "
        "MemoryCapacity MolalityOfSolute MolarEnergy MolarMass MolarVolume Power Pressure "
        "RadiantFlux RadiantIntensity RelativeHumidity Resistance Resistivity SolidAngle "
        "SpecificVolume Speed SurfaceDensity SurfaceTension Temperature Time Torque Voltage "
        "Volume VolumeFlowRate VolumeFraction VolumetricFlux Wavenumber"
    ),
)  # fmt: skip
EXCEPTION = Vocabulary(
    name="exception", urn="", web=_GS1, compact="gs1:",
    words=_words("ALARM_CONDITION ERROR_CONDITION"),
)  # fmt: skip

PREFIXES = {
    "epcis": "https://ref.gs1.org/epcis/",
    "cbv": "https://ref.gs1.org/cbv/",
    "cbvmda": "urn:epcglobal:cbv:mda",
    "gs1": _GS1,
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dcterms": "http://purl.org/dc/terms/",
}
"""Of the standard's JSON-LD context. `cbvmda` as the XML form has it, which has no colon at the
end: an event has one hash in both."""

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
"""Address of the standard's JSON-LD context."""
