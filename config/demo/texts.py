"""What the demo's incidents say.

A line of a tree: depth by indentation, then `title | who | state | marks | due | waiting for`.

Marks: L lead, C confirmed, R ruled out, S shared with the customer, U urgent, H high. Due: hours from the demo's now,
negative is late. Lines beginning with `>` are comments on the ticket above, `who: text`; `>>` is chosen for the report.
"""

from dataclasses import dataclass

TITLE = "Domain admin compromise after phishing"
SITUATION = """**Attacker A is cut off from the network. The open question is whether they hold a golden ticket: until it \
is answered, DC01 stays offline and nothing is restored to the domain.**

A phishing mail gave the attacker a beacon on `WS-0147`. They reached domain admin through the backup service account, \
copied `NTDS.dit` and sent 38.6 GB from file server `FS02` to cloud storage. EDR stopped the preparation for encryption \
at 08:26 the same day. A second, older web shell on `MX-OLD` belongs to somebody else."""
SUMMARY = """A mail with the file `invoice_4471.iso` reached eleven mailboxes in accounts payable. One recipient opened \
it, which started a Cobalt Strike beacon on `WS-0147`. The attacker used Kerberoasting to get the password of the backup \
service account, copied the domain database two days later and sent **38.6 GB** from file server `FS02` to cloud \
storage. The preparation for encryption was stopped by EDR.

| Host | What happened | State |
| --- | --- | --- |
| `WS-0147` | first beacon, opened by j.marsh | isolated |
| `WS-0161` | contact with the C2 domain | isolated |
| `DC01` | NTDS.dit copied | offline |
| `FS02` | archives staged in `C:\\PerfLogs` | being restored |"""
TREE = r"""
Threat actor A: phishing to domain admin | bob | doing | L U | 6.5
  >> alice: Working theory: one operator, hands on keyboard since the 12th. Everything below tests it.
  Initial access: phishing mail to accounts payable | mallory | done | L C
    Pull message trace and headers | mallory | done
    Detonate invoice_4471.iso in the sandbox | bob | done
      > bob: Shortcut inside the ISO starts `rundll32`; the beacon calls cdn-assets[.]example every 60 s with 37 % jitter.
    Find every recipient of the campaign | mallory | done
      >> mallory: Eleven mailboxes, one click. All eleven mails are purged.
  Cobalt Strike beacon on WS-0147 | bob | doing | L C H | 3
    Take a memory image of WS-0147 | bob | done
    Extract beacon configuration and C2 list | bob | done
    Sweep the fleet for the C2 domains | mallory | doing | H | 0.7
      >> mallory: 412 of 412 endpoints asked, 4 with hits. **WS-0161 is new**, asked the customer to isolate it.
      > alice: @bob please take the memory image before it is rebuilt.
  Domain controller DC01 | bob | doing | L U | 2.2
    Collect NTDS.dit access and 4662/4769 events | bob | done
    Kerberoasting of svc_backup | bob | doing | L C | 2.2
      >> bob: 37 service tickets with RC4 asked for in 90 seconds from WS-0147. The password had nine characters.
    Golden ticket: krbtgt anomalies | - | open | L U | -0.3
  Exfiltration with rclone to cloud storage | mallory | doing | L | 1.8
    NetFlow volumes of WS-0147 and FS02, five days | mallory | doing | | 1.8
    List the files staged in C:\PerfLogs | bob | waiting | | | disk image
Threat actor B: web shell on the old mail gateway | bob | doing | L | 5.2
  Recover and date help.aspx on MX-OLD | bob | done
  Review IIS logs back to 1 September | mallory | doing | | 5.2
  Is B the same operator as A? | bob | done | L R
    >> bob: Different tooling, different hours, no shared infrastructure. **Ruled out.**
Containment | alice | done
  Isolate WS-0147, WS-0152 and FS02 | mallory | done | U
  Disable svc_backup, reset 14 admin accounts | bob | done | S U
  Block the C2 list at proxy and DNS | mallory | done | S
  Take MX-OLD off the internet | mallory | done | S
Eradication and recovery | alice | doing | | 27
  Reset krbtgt twice, ten hours apart | bob | open | S H | 2.5
  Rebuild DC01 from known-good media | bob | waiting | S | | golden ticket
  Restore FS02 from the last clean backup and verify | mallory | doing | S | 8.7
  Reopen VPN with phishing-resistant MFA | - | open | | 27
Customer communication | mallory | doing | | 0.5
  Status call at 15:00 with Northbridge | mallory | doing | S | 0.5
  Written update every four hours | mallory | doing | | 2
  Holding statement for carriers and press | mallory | waiting | | | approval
Legal and privacy | alice | doing | | 17.6
  GDPR Art. 33: assess and draft the notification | alice | doing | | 17.6
  Which personal data was on FS02? | alice | waiting | S | -2.2 | customer
  First notice to the insurer | alice | done
Report and lessons learned | alice | open | | 96
  Final report, reviewed with the customer | - | open | | 96
"""


@dataclass(frozen=True)
class Small:
    """One of the smaller incidents."""

    title: str
    type: str
    severity: str
    customer: str
    hours_ago: float
    status: str
    tree: str
    restricted: bool = False


SMALL = [
    Small(
        "Payment API down, suspected DDoS", "ddos", "critical", "customer-b", 3, "analyzing",
        """
Is it an attack or a release? | bob | doing | L U | 0.5
Upstream scrubbing switched on | mallory | done
Rate limits at the edge | mallory | doing | | 1
Tell the status page | alice | open | S | -0.4
""",
    ),
    Small(
        "Business e-mail compromise, two invoices redirected", "phishing", "high", "customer-a", 74, "eradicated",
        """
Mailbox rules of the finance team | bob | done | L C
Bank told, one payment stopped | alice | done | S
Second mailbox with the same rule? | mallory | done | L R
Conditional access tightened | bob | doing | | 26
""",
    ),
    Small(
        "Malware alerts on the kiosk network", "malware", "medium", "", 0.8, "detected",
        """
Are the kiosks on their own network? | - | open | L | 3
Get one kiosk for imaging | - | open | | 5
""",
    ),
    Small(
        "Cloud access key published in a repository", "unauthorized_access", "medium", "customer-b", 260,
        "post_incident_review",
        """
Revoke the key | bob | done | U
Was the key used? | bob | done | L R
Secret scanning on push | mallory | open | | 90
""",
    ),
    Small(
        "Insider under investigation", "data_breach", "high", "", 30, "contained",
        """
Preserve the laptop without notice | bob | done | L C
Downloads before the resignation | bob | doing | L | 8
Talk to the works council | alice | waiting | | | legal
""",
        restricted=True,
    ),
]  # fmt: skip
