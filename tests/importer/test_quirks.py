"""What the PHP server made of its configuration, one oddity at a time."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from gitupd.config.loader import load
from gitupd.core.policy import Admission

if TYPE_CHECKING:
    from conftest import Old

OFF = '<master info=""/>'

AUTHORITY = "innovaphone Device Certification Authority"


def notes(old: Old, sections: str, *scripts: str) -> str:
    return "\n".join(map(str, old.imported(sections, *scripts).notes))


def test_an_empty_configuration_becomes_the_least_that_says_the_same(old: Old) -> None:
    imported = old.imported(OFF)
    assert sorted(imported.files) == [
        "environments.yaml",
        "phases.yaml",
        "policies/admission.yaml",
        "policies/backup.yaml",
        "policies/firmware.yaml",
    ]
    assert load(imported.files).policy.admission == Admission("serve")
    assert imported.notes == ()
    assert imported.master_info is None
    assert imported.firmware == ()


def test_phases_are_ordered_by_number_and_the_last_of_equal_ones_exists(old: Old) -> None:
    sections = '<phases><phase id="late" seq="300"/><phase id="x"/><phase id="y"/></phases>'
    assert list(load(old.imported(sections).files).policy.phases) == ["y", "update", "late"]
    assert 'phase "x" was lost' in notes(old, sections)


@pytest.mark.parametrize("tag", ["phase", "environment", "class"])
@pytest.mark.parametrize("name", ["all", "a-b", "a/b", "a,b", "_first_x", " a", "", "a\u00a0", "x" * 65])
def test_names_that_can_not_be(old: Old, tag: str, name: str) -> None:
    plural = f"{tag}s" if tag != "class" else "classes"
    said = old.refused(f'<{plural}><{tag} id="{name}" /></{plural}>')
    assert said.startswith(f"config/user-config.xml:2: <{tag} id=")


def test_elements_without_an_id(old: Old) -> None:
    assert "<class> has no id" in old.refused("<classes><class/></classes>")


def test_two_environments_that_differ_only_in_case(old: Old) -> None:
    sections = '<environments><environment id="Lab"/><environment id="lab"/></environments>'
    assert '<environment id="lab"> and "Lab" differ only in case' in old.refused(sections)


def test_classes_that_differ_only_in_case_share_their_scripts(old: Old) -> None:
    sections = """
      <classes><class id="IP9"><model>ip1</model></class><class id="ip9"><model>ip2</model></class></classes>
      <queries><query id="q"><cmd>x</cmd><applies>IP9</applies><applies>ip9</applies></query></queries>"""
    policy = load(old.imported(sections, "update-ip9-default.txt").files).policy
    assert [(each.name, each.snippets) for each in policy.classes_of("ip1")] == [("IP9_2", "ip9"), ("ip1", "ip1")]
    assert [str(condition.name) for condition in policy.queries[-1].applies] == ["IP9_2", "ip9"]  # type: ignore[union-attr]


def test_what_only_phases_have(old: Old) -> None:
    said = old.refused('<environments><environment id="lab" seq="1"/></environments>')
    assert '<environment id="lab"> has a seq' in said


def test_implied_environments_must_exist(old: Old) -> None:
    said = old.refused('<environments>\n<environment id="a">\n<implies>b</implies></environment></environments>')
    assert said.startswith('config/user-config.xml:4: <environment id="a"> implies "b"')


def test_a_section_given_twice_is_without_effect(old: Old) -> None:
    sections = '<times interval="60"/><times polling="9" allow="1"/>'
    assert "policies/delivery.yaml" not in old.imported(sections).files
    assert "<times> stands 2 times" in notes(old, sections)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ("", ""),
        ('check="TRUE"', "check: false"),
        ('check=""', "check: false"),
        ('polling=""', "fast_poll: null"),
        ('polling="0"', "fast_poll: 0"),
        ('interval=""', ""),
        ('initial="0"', "window: {initial_minutes: 0}"),
        ('allow="" initial="" grace="" httpsport=""', ""),
        ('allow="22"', "window:\n  hours: [22]"),
        ('allow="22" forcestaging="true"', "window:\n  hours: [22]\nfirst_run_ignores_window: true"),
        ('forcestaging="yes"', "staging_ignores_window: false"),
    ],
)
def test_times(old: Old, attributes: str, expected: str) -> None:
    assert old.document("policies/delivery.yaml", f"<times {attributes}/>") == expected


@pytest.mark.parametrize(
    "attribute",
    [
        'allow="24"', 'allow="1,,2"', 'allow="night"', 'initial="-1"', 'polling="x;y"', 'interval="1.5"',
        'httpsport="0"', 'httpsport="70000"', 'httpsurlmod="!a"', 'httpsurlmod="!(!!"', 'httpsurlmod="!a!b!g"',
        'httpsurlmod="xaxbx"', 'httpsurlmod="![[:alpha:]]!b!"',
    ],
)  # fmt: skip
def test_times_without_sense(old: Old, attribute: str) -> None:
    name, _, value = attribute.partition("=")
    assert f"{name}={value}" in old.refused(f"<times {attribute}/>")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("!mtls/!!i", ""),
        ("", "https_rewrite: null"),
        (
            "@a(b)@$1${1}\\1$0$2@",
            r"https_rewrite: {pattern: a(b), replacement: \g<1>\g<1>\g<1>\g<0>, ignore_case: false}",
        ),
        ("!a!\\x\\\\!i", r"https_rewrite: {pattern: a, replacement: \\x\\, ignore_case: true}"),
    ],
)
def test_rewriting_the_address(old: Old, rule: str, expected: str) -> None:
    assert old.document("policies/transport.yaml", f'<times httpsurlmod="{rule}"/>') == expected


@pytest.mark.parametrize("name", ["/C=DE/O=Us/CN=Our CA", "CN=Our CA,O=Us,C=DE", "C=DE, O=Us, CN = Our CA"])
def test_authorities_may_be_named_in_full(old: Old, name: str) -> None:
    section = f'<customcerts dir="certs" CAnamesep=";" CAname="{name};Root CA"/>'
    assert "authorities: [Our CA, Root CA]" in old.document("policies/certificates.yaml", section)
    assert "authorities are named by their CN" in notes(old, section)


def test_demanding_client_certificates(old: Old) -> None:
    assert "forcetrust" in old.refused('<times forcehttps="true" forcetrust="true"/>')
    with_certificates = '<times forcetrust="true"/><customcerts dir="certs"/>'
    assert "forcetrust without forcehttps" in notes(old, with_certificates)
    assert old.document("policies/transport.yaml", with_certificates) == ""
    assert "hold: true" in old.document("policies/certificates.yaml", with_certificates)
    forced = '<times forcehttps="true" forcetrust="true"/><customcerts dir="certs"/>'
    assert old.document("policies/transport.yaml", forced) == "https: required\nclient_certificate: required"
    assert "authorities:" in old.document("policies/certificates.yaml", forced)
    assert "gitupd trust add FILE" in notes(old, forced)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ('<master info="" firmware="senseless"/>', "firmware: none\nbootcode: none"),
        ('<master info="none" firmware="13A1" bootcode="firmware"/>', "firmware: 13A1\nbootcode: firmware"),
        (
            '<master info="HTTP://m/x" firmware="0" bootcode="" expire="90"/>',
            "master: {url: 'http://m/x', cache: 90s}\nfirmware: master\nbootcode: master",
        ),
        (
            '<master info="none" firmware="1" bootcode="2"><applies>*</applies><applies>IP1</applies></master>',
            "firmware: none\nbootcode: none",
        ),
        (
            '<master info="none" firmware="1" bootcode="2"><applies>*</applies><applies>ip7</applies></master>',
            "firmware: '1'\nbootcode: '2'\napplies:\n- {class: ip7}",
        ),
        (
            '<master info="none" firmware="1" bootcode="2"><applies env="">default</applies></master>',
            "firmware: '1'\nbootcode: '2'\napplies:\n- {environment: default}",
        ),
    ],
)
def test_firmware(old: Old, section: str, expected: str) -> None:
    assert old.document("policies/firmware.yaml", section) == expected


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ('<master info="http://m/x" firmware="abc"/>', 'firmware="abc" of <master>'),
        ('<master info="http://m/x" bootcode="abc"/>', 'bootcode="abc" of <master>'),
        ('<master info="none"/>', 'firmware follows a master device, but info="none"'),
        ('<fwstorage url=""/>', 'url="" of <fwstorage>'),
        ('<status missing="soon"/>', 'missing="soon" of <status>'),
        ('<queries><query id="x"><applies>*</applies></query></queries>', '<query id="x"> has no cmd'),
        ('<queries><query id="a b"/></queries>', '<query id="a b"> can\'t be called so'),
        ('<queries><query id="7"/></queries>', '<query id="7"> can\'t be called so'),
        ('<customcerts dir="certs" CAname=","/>', 'CAname="," of <customcerts>'),
    ],
)
def test_what_is_refused(old: Old, section: str, named: str) -> None:
    assert named in old.refused(section)


def test_every_error_is_told_at_once(old: Old) -> None:
    said = old.refused('<times polling="x"\n interval="y"/>\n<master firmware="z"/>')
    assert said.count("\n") == 2


def test_queries(old: Old) -> None:
    sections = """
      <queries>
        <query id="own"><cmd>x</cmd><applies>nobody knows</applies><applies env="1">default</applies></query>
        <query id="show"><cmd>x</cmd><applies>*</applies><show title="t">//</show><show/></query>
        <query id="idle"><cmd>x</cmd></query>
        <query id="never"><cmd>x</cmd><applies env="1">nowhere</applies></query>
        <query id="certificates" title="Mine"><applies>ip7</applies></query>
      </queries>"""
    expected = """\
        queries:
          certificates:
            title: Mine
            applies:
            - {class: ip7}
          own:
            command: x
            applies:
            - {environment: default}
          show:
            command: x
            applies: [all]"""
    assert old.document("queries.yaml", sections) == dedent(expected)
    assert old.document("classes.yaml", sections) == "models: [ip7]"
    said = notes(old, sections)
    assert '"//" of <show> in <query id="show"> is no XPath' in said
    assert '<query id="idle"> applies to nobody' in said
    assert '<query id="never"> never applies' in said


@pytest.mark.parametrize("name", ["my-query", "büro", "a.b-c_d", "_"])
def test_a_query_is_called_as_an_element_of_xml_may_be(old: Old, name: str) -> None:
    sections = f'<queries><query id="{name}"><cmd>x</cmd><applies>*</applies></query></queries>'
    assert load(old.imported(sections).files).policy.queries[-1].id == name


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ('<customcerts CAname="X"/>', ""),
        ('<customcerts dir="certs"/>', "enabled: false"),
        ('<status dir="s"/><customcerts dir="certs"/>', "enabled: true\nmissing: leave"),
        (
            '<status dir="s"/><customcerts dir="certs" CSRsignature="SH256" CAwildcard="any"/>',
            "enabled: true\nmissing: leave\nwildcard: any\nrequest: {signature: SH256}",
        ),
        (
            '<status dir="s"/><customcerts dir="certs" CSRsan-dns-1="{name}"/><times forcetrust="true"/>',
            (
                "enabled: true\nmissing: leave\n"
                f"authorities: [{AUTHORITY}, {AUTHORITY} 2]\n"
                "hold: true\nrequest:\n  dns: ['{name}']\n  unknown_words: leave-out"
            ),
        ),
    ],
)
def test_certificates(old: Old, sections: str, expected: str) -> None:
    assert old.document("policies/certificates.yaml", sections) == expected


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("<backup/>", "enabled: false"),
        ('<backup dir="b" nbackups=""/>', "enabled: false"),
        ('<backup dir="b" scfg=""/>', "enabled: false"),
        ('<backup dir="b" scfg="/x?#m"/>', "enabled: true\nupload_url: /x?#m"),
    ],
)
def test_backups(old: Old, section: str, expected: str) -> None:
    assert old.document("policies/backup.yaml", section) == expected


def test_unknown_words_change_nothing(old: Old) -> None:
    sections = f'{OFF}<time polling="9"/><status debuglevel="9" color="x"/>'
    said = notes(old, sections)
    assert "<time> is unknown, and ignored; did you mean 'times'?" in said
    assert 'unknown attribute "color"' in said
    assert 'unknown attribute "debuglevel"' in said
    assert len(old.imported(sections).files) == 5
