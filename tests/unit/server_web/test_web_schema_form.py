"""A form made from a parameter schema gives each value back with its JSON type."""

from myapp.web.schema_form import PREFIX, ParameterForm

SCHEMA = {
    "type": "object",
    "properties": {
        "service": {"type": "string", "title": "Service", "description": "Its name", "maxLength": 10},
        "count": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
        "ratio": {"type": "number"},
        "level": {"enum": ["1", 1, None]},
        "verbose": {"type": "boolean"},
        "tags": {"type": "array"},
    },
    "required": ["service"],
}


def typed(**values):
    return ParameterForm(SCHEMA, {PREFIX + name: value for name, value in values.items()})


def test_each_value_has_its_json_type():
    form = typed(service="pay", count="4", ratio="0.5", level="1", verbose="on", tags='["a"]')
    assert form.is_valid(), form.errors
    assert form.parameters() == {
        "service": "pay",
        "count": 4,
        "ratio": 0.5,
        "level": 1,
        "verbose": True,
        "tags": ["a"],
    }


def test_an_enum_tells_the_number_from_the_text_and_allows_null():
    assert [typed(service="x", level=place) and _level(place) for place in "012"] == ["1", 1, None]


def _level(place):
    form = typed(service="x", level=place)
    assert form.is_valid()
    return form.parameters()["level"]


def test_what_is_left_empty_is_left_out_so_that_the_default_holds():
    form = typed(service="x")
    assert form.is_valid()
    assert form.parameters() == {"service": "x", "verbose": False}


def test_errors_stand_at_their_fields():
    form = typed(count="12", tags="{")
    assert not form.is_valid()
    assert set(form.errors) == {PREFIX + "service", PREFIX + "count", PREFIX + "tags"}


def test_errors_of_the_validator_are_put_at_their_fields_too():
    form = typed(service="x")
    form.is_valid()
    form.refuse({"service": ["is not known"], "": ["do not fit together"]})
    assert form.errors[PREFIX + "service"] == ["is not known"]
    assert form.non_field_errors() == ["do not fit together"]


def test_a_field_is_tied_to_its_label_hint_and_error():
    form = typed()
    html = str(form[PREFIX + "service"])
    assert 'aria-invalid="true"' in html
    assert "aria-describedby" in html


def test_a_parameter_cannot_take_the_place_of_a_field_of_ours():
    form = ParameterForm({"properties": {"csrfmiddlewaretoken": {"type": "string"}}})
    assert list(form.fields) == [PREFIX + "csrfmiddlewaretoken"]


def test_an_earlier_run_fills_the_form():
    form = ParameterForm(SCHEMA, earlier={"service": "pay", "count": 7, "level": 1})
    assert form[PREFIX + "count"].value() == 7
    assert form[PREFIX + "level"].value() == "1"
