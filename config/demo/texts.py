"""What the demo's incidents say.

A line of a tree: depth by indentation, then `title | who | state | marks | due | waiting for`.

Marks: L lead, C confirmed, R ruled out, E dead end, K parked, S shared with the customer, U urgent, H high. Due: hours
from the demo's now, negative is late.

The lines below a ticket, by their first character:

    > who: what they said   >> the same, chosen for the report
    ? hypothesis of a lead   ^ title of the ticket it grew from   ! why it has its result
    = headline of the branch   # tags   * who watches it   & title of the ticket it waits for
    + who minutes what for (time spent)   @ hours after the beginning when it was added, and worked if that was later
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
WATCH = """1. **Golden ticket:** nobody has it. Until it is answered, DC01 stays offline.
2. WS-0161 was found late: ask again whether the customer has isolated it.
3. The customer still owes the list of personal data on FS02 (GDPR clock)."""
HANDED_OVER = ["Reset krbtgt twice, ten hours apart"]
HANDOVER_NOTE = "I am off at 18:00. The first reset is prepared; **wait ten hours** before the second one."
TREE = r"""
Threat actor A: phishing to domain admin | bob | doing | L U | 6.5
  = Cut off since the first noon; whether they kept a golden ticket is the one open question.
  ? One operator came in by a phishing mail, became domain admin and copied data; nothing was encrypted.
  # apt cobalt-strike
  * dora carol
  >> alice: Working theory: one operator, hands on keyboard since the 12th. Everything below tests it.
  Initial access: phishing mail to accounts payable | mallory | done | L C
    = Eleven mailboxes, one click; all mails are purged.
    ? The beacon came with invoice_4471.iso, not by another way.
    Pull message trace and headers | mallory | done
    Detonate invoice_4471.iso in the sandbox | bob | done
      + bob 95 Sandbox run and report
      > bob: Shortcut inside the ISO starts `rundll32`; the beacon calls cdn-assets[.]example every 60 s with 37 % jitter.
    Find every recipient of the campaign | mallory | done
      >> mallory: Eleven mailboxes, one click. All eleven mails are purged.
  Cobalt Strike beacon on WS-0147 | bob | doing | L C H | 3
    = Configuration known, fleet asked: WS-0161 is new and is being cut off.
    ^ Detonate invoice_4471.iso in the sandbox
    ? The beacon ran on WS-0147 alone.
    * mallory
    Take a memory image of WS-0147 | bob | done
      + bob 50 Image and hashes
    Extract beacon configuration and C2 list | bob | done
      + bob 130 Configuration, eleven C2 names
    Sweep the fleet for the C2 domains | mallory | doing | H | 0.7
      # edr
      >> mallory: 412 of 412 endpoints asked, 4 with hits. **WS-0161 is new**, asked the customer to isolate it.
      > alice: @bob please take the memory image before it is rebuilt.
  Domain controller DC01 | bob | doing | L U | 2.2
    @ 8.5
    = NTDS.dit was copied; golden ticket not ruled out, nobody has it yet.
    ^ Cobalt Strike beacon on WS-0147
    ? They reached DC01 and have the domain's secrets.
    * alice
    Collect NTDS.dit access and 4662/4769 events | bob | done
      + bob 80 Event logs of DC01, four days
    Kerberoasting of svc_backup | bob | doing | L C | 2.2
      @ 9 30
      ^ Collect NTDS.dit access and 4662/4769 events
      ? The password of svc_backup was cracked from a service ticket.
      ! 37 RC4 tickets in 90 seconds and a password of nine characters
      >> bob: 37 service tickets with RC4 asked for in 90 seconds from WS-0147. The password had nine characters.
    Golden ticket: krbtgt anomalies | - | open | L U | -0.3
      @ 31
      ^ Domain controller DC01
      ? They hold the krbtgt key and can make tickets for anybody.
      * bob
  Exfiltration with rclone to cloud storage | mallory | doing | L | 1.8
    @ 20
    = 38.6 GB left FS02; which files is waiting for the disk image.
    ^ Extract beacon configuration and C2 list
    ? Only what was staged in C:\PerfLogs has left.
    NetFlow volumes of WS-0147 and FS02, five days | mallory | doing | | 1.8
      + mallory 60 Volumes for each hour
    List the files staged in C:\PerfLogs | bob | waiting | | | disk image
Threat actor B: web shell on the old mail gateway | bob | doing | L | 5.2
  = A second, older intruder; not A. IIS logs are being read.
  ? Somebody else used MX-OLD before, and does not know of A.
  # web-shell
  Recover and date help.aspx on MX-OLD | bob | done
    + bob 45 Timestamps of help.aspx
  Review IIS logs back to 1 September | mallory | doing | | 5.2
  Is B the same operator as A? | bob | done | L R
    @ 27 44
    ^ Recover and date help.aspx on MX-OLD
    ? A and B are one group that came twice.
    ! Different tooling, different hours, no shared infrastructure
    >> bob: Different tooling, different hours, no shared infrastructure. **Ruled out.**
Containment | alice | done
  = Complete since the first noon; EDR watches for more.
  Isolate WS-0147, WS-0152 and FS02 | mallory | done | U
  Disable svc_backup, reset 14 admin accounts | bob | done | S U
  Block the C2 list at proxy and DNS | mallory | done | S
  Take MX-OLD off the internet | mallory | done | S
Eradication and recovery | alice | doing | | 27
  = FS02 tonight; DC01 waits for the golden ticket.
  Reset krbtgt twice, ten hours apart | bob | open | S H | 2.5
  Rebuild DC01 from known-good media | bob | waiting | S | | golden ticket
    @ 33
    & Golden ticket: krbtgt anomalies
    & Reset krbtgt twice, ten hours apart
  Restore FS02 from the last clean backup and verify | mallory | doing | S | 8.7
    @ 34
    # backup
  Reopen VPN with phishing-resistant MFA | - | open | | 27
    @ 34
Customer communication | mallory | doing | | 0.5
  Status call at 15:00 with Northbridge | mallory | doing | S | 0.5
  Written update every four hours | mallory | doing | | 2
  Holding statement for carriers and press | mallory | waiting | | | approval
Legal and privacy | alice | doing | | 17.6
  = The 72 hours of GDPR run until tomorrow; the customer owes one answer.
  GDPR Art. 33: assess and draft the notification | alice | doing | | 17.6
    # gdpr
    * dora
  Which personal data was on FS02? | alice | waiting | S | -2.2 | customer
    # gdpr
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
    runbook: str = ""


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
  ^ Mailbox rules of the finance team
  ? They sit in another mailbox of the finance team.
  ! No other mailbox has the rule, and no sign-in from their addresses
Who received the second payment? | mallory | waiting | L K | | bank
  @ 6 20
  ^ Bank told, one payment stopped
  ? The account belongs to the same group as in June.
  ! The bank answers only to the police; taken up again with their answer
Conditional access tightened | bob | doing | | 26
""",
        runbook="reset-a-compromised-account",
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
  ? Somebody used the key before it was revoked.
  ! The provider's log shows no call with it
Who else copied it? | bob | done | L E
  @ 2 30
  ^ Was the key used?
  ? The repository was cloned while the key was in it.
  ! The host keeps no log of clones
Secret scanning on push | mallory | open | | 90
""",
        runbook="hunt-for-indicators",
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

# -- Runbooks and automations (runbooks.py) ---------------------------------------------------------------------------
OWNER = {"text": "What depends on WS-0161, and who agreed that it is cut off?", "fields": ["service", "agreed_by"]}
OWNER_SAID = {"service": "A desk in accounts payable, nothing else", "agreed_by": "K. Osei, head of accounts payable"}
CALL = {"url": "https://edr.northbridge.example/api/hosts/WS-0161/isolate", "method": "POST"}
BY_HAND = "The call to EDR is not allowed from here yet. **Isolated by hand** in its console; state confirmed."
NO_TRACES = "A desktop: nothing rebuilds, scales or cleans it by itself."
PROOF = {
    "text": "Has firewall, proxy or DNS seen anything of WS-0161 since it was isolated?",
    "fields": [
        {"name": "seen", "label": "What was seen", "choices": ["Nothing", "Something"]},
        {"name": "last_contact", "label": "Last contact, in UTC", "required": False},
    ],
}
FIRST_RESET = "The first reset of krbtgt is prepared, and all controllers replicate. Reset it tonight?"
LEAD_RESULT = "Seen in the logs; the list is attached to the parent ticket."
SUGGESTION = "Ask the host of the repository for its access log first: it keeps 90 days, and we asked on day 88."
SECOND_STEP = "- [ ] Isolate {{ host }} from the network"
ASKS_BEFORE_IT = """  ```action
  ask_human: {
    text: "What depends on {{ host }}, and who agreed that it is cut off?",
    fields: [service, agreed_by],
    as: owner
  }
  ```
"""
CHANGE_NOTE = "Asks on the ticket who agreed, after the case of WS-0161"
