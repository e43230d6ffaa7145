"""Answers to queries: what is let in, and what is shown of it."""

from __future__ import annotations

import ast
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gitupd.config.loader import load
from gitupd.core.answers import AnsweredQuery, QueryAnswer
from gitupd.core.caller import Serial, parse_caller
from gitupd.core.concealing import Veil
from gitupd.core.device import Device, Message
from gitupd.core.endpoint import Endpoint
from gitupd.core.policy import Query, Show
from gitupd.core.situation import Computed, Situation
from gitupd.core.snapshot import CommitId
from gitupd.resources import template_files
from gitupd.service.answers import Fragment, ShownAnswer, UnusableAnswer, read_answer, shown_answers
from gitupd.service.scripting.computing import Computing
from gitupd.service.scripting.device_xml import device_state_xml
from gitupd.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Sample

    from gitupd.service.site import Site

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
INFO = '<info name="Desk 12" up="1"><a>one</a><a>two<b>!</b></a><n>3.50</n></info>'


# What is let in


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b'<info name="x"/>\r\n', '<info name="x"/>'),
        (b'<info name="x"/>\r\n\0\0', '<info name="x"/>'),
        (b"\xef\xbb\xbf<info/>", "<info/>"),
        (b'<?xml version="1.0" encoding="UTF-8"?>\r\n<info/>', "<info/>"),
        (b"\xef\xbb\xbf<?xml version='1.0' standalone='yes'?><info/>", "<info/>"),
        (b"<a/>\n<b/> text", "<a/>\n<b/> text"),
        (b"UPDATE/CHECK p 123\r\n", "UPDATE/CHECK p 123"),
        ("<a>ä\u2028\N{GRINNING FACE}</a>".encode(), "<a>ä\u2028\N{GRINNING FACE}</a>"),
        (
            b"<a><!-- <!DOCTYPE x> --><![CDATA[<!DOCTYPE x>]]></a>",
            "<a><!-- <!DOCTYPE x> --><![CDATA[<!DOCTYPE x>]]></a>",
        ),
        (b'<a xmlns:p="u"><p:b/></a>', '<a xmlns:p="u"><p:b/></a>'),
        (b"<a>" * 100 + b"</a>" * 100, "<a>" * 100 + "</a>" * 100),
    ],
)
def test_a_fragment_is_kept_as_it_was_sent(body: bytes, kept: str) -> None:
    assert read_answer(body).text == kept


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "it is empty"),
        (b"\r\n\0", "it is empty"),
        (b"<?xml version='1.0'?>", "it is empty"),
        (b'<info name="\xe4"/>', "it is not UTF-8"),
        (b"<a>\xed\xa0\x80</a>", "it is not UTF-8"),
        ('<?xml version="1.0"?><a/>'.encode("utf-16"), "it is not UTF-8"),
        (b"<?xml version='1.0' encoding='ISO-8859-1'?><a/>", "it says that it is ISO-8859-1, not UTF-8"),
        (b"<a>\0</a>", "it holds NUL characters"),
        (b"<a>\x08</a>", "it is not well-formed XML: PCDATA invalid Char value 8"),
        (b"<a>&#0;</a>", "it is not well-formed XML: xmlParseCharRef: invalid xmlChar value 0"),
        ("<a>\ufffe</a>".encode(), "it is not well-formed XML: PCDATA invalid Char value 65534"),
        (b"<a", "it is not well-formed XML"),
        (b"<a>", "it is not well-formed XML"),
        (b"x & y", "it is not well-formed XML"),
        (b"<a/></answer><answer>", "it is not well-formed XML"),
        (b"</answer>", "it is not well-formed XML"),
        (b"</answer><!--", "it is not well-formed XML"),
        (b"</answer><?x ", "it is not well-formed XML"),
        (b"<![CDATA[", "it is not well-formed XML"),
        (b"<a/><?xml version='1.0'?><b/>", "it is not well-formed XML"),
        (b"<!DOCTYPE a><a/>", "it is not well-formed XML"),
        (b"<?xml version='1.0'?><!DOCTYPE a><a/>", "it is not well-formed XML"),
        (b"<a>&nbsp;</a>", "it is not well-formed XML: Entity 'nbsp' not defined"),
        (b"<a>" * 101 + b"</a>" * 101, "its elements are nested more than 100 deep"),
        (b"<a>" * 200_000, "it has more than 50000 tags"),
        (b"<a/>" * 50_001, "it has more than 50000 tags"),
    ],
)
def test_what_is_no_fragment_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(UnusableAnswer) as caught:
        read_answer(body)
    assert str(caught.value).startswith(reason)
    assert str(caught.value).isprintable()


def _bombs(secret: Path) -> dict[str, bytes]:
    lol = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    many = b" ".join(b'a%d=""' % number for number in range(90_000))
    return {
        "laughs": b'<!DOCTYPE a [<!ENTITY l0 "lol">' + lol + b"]><a>&l9;</a>",
        "quadratic": b'<!DOCTYPE a [<!ENTITY x "' + b"y" * 400_000 + b'">]><a>' + b"&x;" * 100_000 + b"</a>",
        "external": f'<!DOCTYPE a [<!ENTITY x SYSTEM "file://{secret}">]><a>&x;</a>'.encode(),
        "parameter": f'<!DOCTYPE a [<!ENTITY % x SYSTEM "file://{secret}">%x;]><a/>'.encode(),
        "network": b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>',
        "inclusion": f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{secret}" parse="text"/>'.encode(),
        "deep": b"<a>" * 40_000 + b"</a>" * 40_000,
        "many": b"<a/>" * 260_000,
        "wide": b"<a " + many + b"/>",
        "prefixes": b"<a " + many.replace(b"a", b"xmlns:a").replace(b'""', b'"u"') + b"/>",
        "comment": b"<a><!--" + b"-" * 1_000_000,
        "text": b"<a>" + b"&#65;" * 200_000 + b"</a>",
    }


_READ = """
import resource, sys, time
from gitupd.service.answers import UnusableAnswer, read_answer
limit = 400 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
body = sys.stdin.buffer.read()
started = time.process_time()
try:
    said = "kept" if "secret of ours" not in read_answer(body).text else "read"
except UnusableAnswer:
    said = "refused"
print(said, time.process_time() - started)
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *((name, "refused") for name in ("laughs", "quadratic", "external", "parameter", "network")),
        *((name, "refused") for name in ("deep", "many", "comment")),
        *((name, "kept") for name in ("inclusion", "wide", "prefixes", "text")),
    ],
)
def test_no_bomb_goes_off(name: str, expected: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret of ours")
    done = subprocess.run(
        [sys.executable, "-c", _READ], input=_bombs(secret)[name], capture_output=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    said, seconds = done.stdout.decode().split()
    assert said == expected
    assert float(seconds) < 3


@settings(max_examples=300)
@given(
    st.one_of(st.binary(max_size=60), st.text(alphabet="<>/a\"'=&;#x!-[]?x \0\n\r\ufeffä", max_size=40).map(str.encode))
)
def test_what_was_let_in_can_be_read_again(body: bytes) -> None:
    try:
        kept = read_answer(body).text
    except UnusableAnswer:
        return
    etree.fromstring(device_state_xml(Device(Serial("0090333000af")), [QueryAnswer("q", NOON, kept)], Veil()))
    query = Query("q", "Q", "c", (), (Show("t", "//text() | //@*"),))
    assert shown_answers([query], [QueryAnswer("q", NOON, kept)])[0].error is None


# The name


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ('<info name="Desk 12"/>', "Desk 12"),
        ('<info name="  a&amp;b&#10;c "/>', "a&b c"),
        ('<info name="Desk%2012"/>', "Desk%2012"),
        ('<info name="\u202ex&#x85;"/>', "\ufffdx"),
        ('<info name=""/>', ""),
        ("<info/>", ""),
        (f'<info name="{"x" * 201}"/>', "x" * 200),
        ('<busy/><info name="two"/>', "two"),
        ("<busy/>", None),
        ("<state><info name='x'/></state>", None),
        ("text", None),
    ],
)
def test_the_name_that_a_device_gives_itself(answer: str, name: str | None) -> None:
    assert Fragment(answer).own_name == name


# What is shown


def _value(xpath: str, xml: str = INFO) -> str:
    (found,) = shown_answers([Query("q", "Q", "c", (), (Show("t", xpath),))], [QueryAnswer("q", NOON, xml)])
    assert found.error is None
    ((title, text),) = found.values
    assert title == "t"
    return text


@pytest.mark.parametrize(
    ("xpath", "text"),
    [
        ("/info/@name", "Desk 12"),
        ("/info/a", "one, two!"),
        ("/info/a/text()", "one, two"),
        ("/info", "onetwo!3.50"),
        ("/info/@*", "Desk 12, 1"),
        ("/info/nothing", ""),
        ("//@nothing", ""),
        ("count(/info/a)", "2"),
        ("count(/info/a) div 4", "0.5"),
        ("number(/info/n)", "3.5"),
        ("number(/info/a)", "NaN"),
        ("-1 div 0", "-Infinity"),
        ("boolean(/info/b)", "false"),
        ("/info/@up = 1", "true"),
        ("concat(/info/@name, ': ', /info/a[2])", "Desk 12: two!"),
        ("string(/info/a)", "one"),
        ("/info/namespace::*", "http://www.w3.org/XML/1998/namespace"),
        ("/state/queries/q/info/@name", "Desk 12"),
        ("concat('at ', /state/queries/q/info/@name)", "at Desk 12"),
        ("/state/queries/other/info/@name", ""),
    ],
)
def test_what_xpath_finds_is_text(xpath: str, text: str) -> None:
    assert _value(xpath) == text


def test_several_elements_are_looked_at_one_after_the_other() -> None:
    both = '<info name="one"/>between<info name="two"/>'
    assert _value("/info/@name", both) == "one, two"
    assert _value("/*", "<a>1</a>2<b>3</b>") == "1, 3"
    assert _value("count(/info)", both) == "1, 1"


def test_an_answer_of_text_is_an_element() -> None:
    assert _value("/answer", "UPDATE/CHECK p 1 &lt;") == "UPDATE/CHECK p 1 <"


def test_a_long_value_is_cut() -> None:
    assert _value("/a", f"<a>{'x' * 5000}</a>") == "x" * 1000 + "…"
    assert len(_value("//b", f"<a>{'<b>x</b>' * 20_000}</a>")) == 1001


@pytest.mark.parametrize(
    "xpath", ["p:x", "p:f()", "$x", "document('/etc/passwd')", "re:test('a', 'a')", "exsl:node-set(/)", "key('a', 'b')"]
)
def test_an_expression_that_fails_is_told(xpath: str) -> None:
    query = Query("q", "Q", "c", (), (Show("bad", xpath), Show("good", "/info/@name")))
    (found,) = shown_answers([query], [QueryAnswer("q", NOON, INFO)])
    assert found.values == (("good", "Desk 12"),)
    assert found.error is not None
    assert found.error.startswith(f"bad: {xpath} can't be evaluated: Un")


def test_all_queries_are_there_in_their_order() -> None:
    queries = [Query("b", "B", "c"), Query("a", "A", "c", (), (Show("x", "/x"),)), Query("c", "C", "c")]
    answers = [QueryAnswer("a", NOON, "<x>1</x>"), QueryAnswer("b", NOON, "<x/>"), QueryAnswer("gone", NOON, "<x/>")]
    assert shown_answers(queries, answers) == (
        ShownAnswer("b", "B", NOON),
        ShownAnswer("a", "A", NOON, (("x", "1"),)),
        ShownAnswer("c", "C", None),
    )


# The state of a device


def test_the_state_of_a_device_as_a_document() -> None:
    device = Device(
        Serial("0090333000af"),
        hardware_id="IP222-30-00-af",
        model="IP222",
        given_name="Desk\0",
        address="192.0.2.7",
        own_address="10.0.0.7",
        environments=("berlin", "intranet"),
        classes=("phone", "ip222"),
        phase="update",
        firmware="134250",
        firmware_wanted="137213",
        firmware_requested=NOON,
        last_seen=NOON,
        sent=CommitId("a" * 40),
        sent_at=NOON,
        snippets=("snippets/update-all-all.txt",),
        messages=(Message(NOON, "odd <thing>"),),
    )
    answers = [QueryAnswer("admin", NOON, '<info name="x"><!-- c --></info>'), QueryAnswer("check", NOON, "p 1")]
    at = str(int(NOON.timestamp()))
    assert (
        device_state_xml(device, answers, Veil()).decode()
        == f"""\
<?xml version='1.0' encoding='utf-8'?>
<state seen="{at}">
  <device sn="00-90-33-30-00-af" hwid="IP222-30-00-af" type="IP222" realip="10.0.0.7" ip="192.0.2.7" rp="false" \
phase="update" environments="berlin, intranet" classes="phone, ip222" name="Desk\ufffd"/>
  <firmware build="134250" requested="137213" requested-at="{at}"/>
  <bootcode/>
  <config filename="snippets/update-all-all.txt" delivered="{at}" version="{"a" * 40}"/>
  <msgs time="{at}" msg="odd &lt;thing&gt;"/>
  <queries>
    <admin seen="{at}">
      <info name="x"/>
    </admin>
    <check seen="{at}">***</check>
  </queries>
</state>
"""
    )


def test_the_state_of_a_device_of_which_nothing_is_known() -> None:
    root = etree.fromstring(device_state_xml(Device(Serial("0090333000af")), (), Veil()))
    assert [child.tag for child in root] == ["device", "firmware", "bootcode", "queries"]
    assert dict(root[0].attrib) == {"sn": "00-90-33-30-00-af"}


# Computed lines


_OWN = """
class Own:
    def pre(self, device):
        xml = device.xml
        return [repr(each) for each in (
            xml.find("queries/admin/info").get("name"),
            [(found.tag, sorted(found.attrib)) for found in xml.find("queries")],
            sorted(xml.find("device").items()),
            [found.get("filename") for found in xml.findall("config")],
            xml.find("firmware").get("requested"),
            [found.get("msg") for found in xml.findall("msgs")],
        )]
"""


def _computed(site: Site, serial: str = "00-90-33-30-00-af") -> Computed | None:
    said = {"type": "IP232", "sn": serial, "hwid": "h", "ip": "10.0.0.7", "env": "homeoffice"}
    files = {**template_files(), "scripting.py": _OWN.encode()}
    computing = Computing(Settings(scripting=True), site)
    try:
        return computing.completed(Situation(load(files), parse_caller(said, Endpoint("http", "x", 80)), NOON)).computed
    finally:
        computing.stop()


def test_computed_lines_see_what_is_remembered(sample: Sample) -> None:
    serial = Serial("0090333000af")
    known = Device(serial, model="IP222", address="192.0.2.7", proxy="192.0.2.9", firmware_wanted="137213")
    sent = replace(
        known, snippets=("snippets/a.txt",), sent=sample.first, sent_at=NOON, first_seen=NOON, last_seen=NOON
    )
    sample.site.inventory.save_sightings([replace(sent, messages=(Message(NOON, "odd"),))])
    large = QueryAnswer("large", NOON, f"<a>{'x' * 2**20}</a>")
    answers = [QueryAnswer("admin", NOON, '<info name="Desk"/>'), large, replace(large, query="larger")]
    sample.site.answers.save([AnsweredQuery(serial, answer) for answer in answers])
    computed = _computed(sample.site)
    assert computed is not None
    name, queries, attributes, *rest = computed.before
    assert name == "'Desk'"
    assert queries == "[('admin', ['seen']), ('large', ['seen']), ('larger', ['omitted', 'seen'])]"
    assert ast.literal_eval(attributes) == [
        ("certstat", "no certificate was shown, for HTTP has none"),
        ("classes", "phone, pre_opus_phone, phone_newui, reception, ip232"),
        ("environments", "homeoffice, intranet"),
        ("hwid", "h"),
        ("ip", "192.0.2.7"),
        ("phase", "staging"),
        ("proxy", "192.0.2.9"),
        ("realip", "10.0.0.7"),
        ("rp", "true"),
        ("sn", "00-90-33-30-00-af"),
        ("type", "IP232"),
    ]
    assert rest == ["['snippets/a.txt']", "'137213'", "['odd']"]


def test_computed_lines_fail_where_nothing_can_be_read(sample: Sample) -> None:
    with sqlite3.connect(sample.site.path / "gitupd.db") as connection:
        connection.execute("DROP TABLE answers")
    assert _computed(sample.site) == Computed(failure="what is remembered of the device can't be read")
