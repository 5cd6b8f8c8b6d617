// SPDX-License-Identifier: Apache-2.0
// Extortion by encryption. [MITRE ATT&CK T1486, T1490]

rule Holdfast_Ransom_Note_Text
{
    meta:
        description = "A note that says the reader's files were encrypted, whom to pay or write to, and what not to do"
        source = "MITRE ATT&CK T1486; CISA, #StopRansomware Guide"
        severity = "infected"
    strings:
        $done = /\b(all[ \t]+(of[ \t]+)?)?(your|ur)[ \t]+((important|personal|company|corporate|private|server|local|critical)[ \t]+)?(files?|documents|data|servers?|network|systems?|databases?|computers?|backups?)\b[^.!?]{0,100}\b(have[ \t]+been|has[ \t]+been|are|is|were|was)[ \t]+((now|all|fully|currently|successfully|stolen[ \t]+and|exfiltrated[ \t]+and|copied[ \t]+and)[ \t]+)?(encrypted|locked|crypted|stolen|exfiltrated)\b/ nocase ascii wide
        $we = /\bwe[ \t]+(have[ \t]+|'ve[ \t]+|just[ \t]+|also[ \t]+)?(encrypted|locked|crypted|stolen|exfiltrated|downloaded|copied)[^.!?]{0,60}\byour\b/ nocase ascii wide
        $pay_coin = /\b(bitcoins?|BTC|monero|XMR|crypto-?currency|USDT)\b/ nocase ascii wide
        $pay_site = /\b[a-z2-7]{16}([a-z2-7]{40})?\.onion\b|\btor[ \t]?browser\b|torproject\.org/ nocase ascii wide
        $pay_contact = /\b(tox[ \t]?(id|chat)?|session[ \t]id|telegram|jabber|e-?mail)\b[^\n]{0,30}[:@=][^\n]{4}|\b(contact|write)[ \t]+(to[ \t]+)?us\b/ nocase ascii wide
        $key = /\b(decryptor|decryption[ \t]+(key|tool|software|program|id)|private[ \t]+key|decrypt[ \t]+(all[ \t]+)?(of[ \t]+)?(your|the|one|[0-9]|some|several|a[ \t]+few|them)|recover[ \t]+(all[ \t]+)?(of[ \t]+)?your|restore[ \t]+(all[ \t]+)?(of[ \t]+)?your|personal[ \t]+id|your[ \t]+id\b|unique[ \t]+(key|id))/ nocase ascii wide
        $not_touch = /\b(do[ \t]+not|don'?t|never)[ \t]+(try[ \t]+(to[ \t]+)?|attempt[ \t]+(to[ \t]+)?)?(rename|modify|edit|decrypt|delete|shut[ \t]?down|turn[ \t]+off|restart|reboot|recover|restore|use[ \t]+(any[ \t]+)?third|contact[ \t]+(the[ \t]+)?(police|fbi|law|authorities|recovery)|hire|call)/ nocase ascii wide
        $damage = /\b(permanent(ly)?|irreversibl[ey]|forever|no[ \t]+way)\b[^.!?]{0,80}\b(lose|lost|loss|damaged?|deleted|destroyed|corrupt(ed)?|recover|decrypt)|\b(lose|lost|loss|damaged?|deleted|destroyed|corrupt(ed)?)\b[^.!?]{0,60}\b(permanent(ly)?|irreversibl[ey]|forever)\b/ nocase ascii wide
        $publish = /\b(will[ \t]+be|are[ \t]+going[ \t]+to[ \t]+be|we[ \t]+will)[ \t]+(\w{2,12}[ \t]+)?(published?|leaked?|sold|sell|posted|publicly|made[ \t]+public|released?)\b/ nocase ascii wide
        $time = /\b(within|in|after|have|only)[ \t]+([0-9]{1,3}|two|three|four|five|seven|ten)[ \t]+(hours|days)\b|\bprice[ \t]+will[ \t]+(be[ \t]+)?(double|increase|raise|go)|\bdeadline\b/ nocase ascii wide
        $proof = /\b(free[ \t]+of[ \t]+charge|for[ \t]+free|as[ \t]+(a[ \t]+)?(proof|guarantee)|test[ \t]+(file|decryption)|guarantees?\b)/ nocase ascii wide
        $code = /\b(rule[ \t]+\w+[^\n]{0,40}\{|strings:\s|import[ \t]+os\b|#include\b|class[ \t]+\w+[ \t]*[:({]|<article\b|<nav\b|CVE-\d{4}-\d)/
    condition:
        filesize < 64KB and not $code and ($done or $we) and any of ($pay*) and $key and
        2 of ($not_touch, $damage, $publish, $time, $proof)
}

rule Holdfast_Ransom_Shell_EncryptLoop
{
    meta:
        description = "Shell text that encrypts file after file, removes the originals and leaves a note asking for payment"
        source = "MITRE ATT&CK T1486; Trend Micro, Bash Ransomware DarkRadiation Targets Red Hat- and Debian-based Linux Distributions (2021)"
        severity = "infected"
    strings:
        $encrypt = /\b(openssl[ \t]+(enc[ \t]+)?-?(aes|des|camellia|chacha)[\w\-]{0,20}|openssl[ \t]+(enc|rsautl|pkeyutl|smime)[ \t]|gpg2?[ \t]+[^\n]{0,80}(-c\b|--symmetric|--encrypt|-e\b)|7z[ar]?[ \t]+a[ \t]+[^\n]{0,60}-p|zip[ \t]+[^\n]{0,60}-(P|-password)|ccrypt[ \t]|age[ \t]+-)/
        $each = /\b(for|while)[ \t]+[^\n]{1,120}\s*;?\s*do\b|\bfind[ \t]+[^\n]{1,200}-(exec|execdir|print0)|\bxargs[ \t]/
        $remove = /\b(rm[ \t]+-|shred[ \t]|unlink[ \t]|mv[ \t]+-?f?[ \t]*["']?\$|dd[ \t]+if=\/dev\/(zero|urandom)|-delete\b)/
        $note = /\b(your|ur|all)[ \t]+[^\n]{0,30}(files|data|documents|server|disk)[^\n]{0,40}(encrypted|locked|crypted|hijacked)/ nocase
        $pay = /\b(bitcoins?|BTC|monero|XMR|ransom|\.onion|payment|pay[ \t]+(us|me|[0-9]))\b/ nocase
    condition:
        filesize < 256KB and uint16be(0) == 0x2321 and $encrypt and $each and $remove and $note and $pay
}

rule Holdfast_Ransom_Python_EncryptWalk
{
    meta:
        description = "Python that encrypts every file of a folder tree and asks for payment"
        source = "MITRE ATT&CK T1486, T1059.006"
        severity = "infected"
    strings:
        $walk = /\b(os\s*\.\s*walk|rglob|iglob|glob\s*\.\s*glob|scandir|listdir)\s*\(/
        $cipher = /\b(Fernet\s*\(|AES\s*\.\s*new\s*\(|ChaCha20|Salsa20|pyAesCrypt|PKCS1_OAEP|\.\s*encrypt(_file|File)?\s*\()/
        $write = /\b(open|write_bytes)\s*\([^\n]{0,80}["']?(wb|rb\+|r\+b|wb\+)["']|write_bytes\s*\(|encryptFile\s*\(/
        $note = /\b(your|all|ur)[ \t]+[^\n]{0,30}(files|data|documents|computer|system)[^\n]{0,60}(encrypted|locked|crypted)/ nocase
        $pay = /\b(bitcoins?|BTC|monero|XMR|ransom|\.onion|\$[0-9]{2,5}|payment|wallet)\b/ nocase
        $python = /(^|\n)[ \t]*(import|from)[ \t]+\w/
    condition:
        filesize < 256KB and $python and $walk and $cipher and $write and $note and $pay
}

rule Holdfast_Ransom_Windows_RecoveryDestroyed
{
    meta:
        description = "Commands that destroy several of Windows' ways back: shadow copies, backups, repair at start"
        source = "MITRE ATT&CK T1490; CISA, #StopRansomware advisories"
        severity = "suspicious"
    strings:
        $vss = /\bvssadmin(\.exe)?["']?\s+(delete\s+shadows|resize\s+shadowstorage)\b/ nocase ascii wide
        $wmic = /\bwmic(\.exe)?["']?\s+shadowcopy\s+(\/nointeractive\s+)?(where\s+[^\n]{1,60}\s+)?delete\b/ nocase ascii wide
        $wmi = /Win32_Shadowcopy[^\n]{0,80}\b(Delete|Remove-)/ nocase ascii wide
        $bcd = /\bbcdedit(\.exe)?["']?\s+[^\n]{0,60}(recoveryenabled\s+no|bootstatuspolicy\s+ignoreallfailures)\b/ nocase ascii wide
        $wbadmin = /\bwbadmin(\.exe)?["']?\s+delete\s+(catalog|systemstatebackup|backup)\b/ nocase ascii wide
        $usn = /\bfsutil(\.exe)?["']?\s+usn\s+deletejournal\b/ nocase ascii wide
        $events = /\bwevtutil(\.exe)?["']?\s+(cl|clear-log)\s+["']?(system|security|application)\b/ nocase ascii wide
        $quiet = /\s\/(quiet|all|nointeractive)\b|-quiet\b|\sset\s+["']?\{default\}/ nocase ascii wide
        $about = /(\b(detection|logsource|falsepositives):|\brule[ \t]+\w+\s*\{|\badversar(y|ies)\b|\bthreat[ \t]+actors?\b|\bransomware\b|\bmitre\b)/ nocase
    condition:
        filesize < 16MB and $quiet and (uint16be(0) == 0x4d5a or (filesize < 64KB and not $about)) and
        3 of ($vss, $wmic, $wmi, $bcd, $wbadmin, $usn, $events)
}
