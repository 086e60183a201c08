from tracegauge.config.errors import ConfigError
from tracegauge.measure.job import Refusal


def test_an_error_crosses_the_process_boundary_whole():
    others = [ConfigError("another", file="a.yaml", line=9), ConfigError("one more", hint="do this")]
    error = ConfigError("wrong", file="a.yaml", line=3, column=7, hint="write it so", others=others)
    sent = Refusal.model_validate_json(Refusal.of(error).model_dump_json()).error()
    assert str(sent) == str(error)
