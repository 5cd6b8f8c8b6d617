// SPDX-License-Identifier: Apache-2.0
// Mining of coins on other people's machines. [MITRE ATT&CK T1496.001]

rule Holdfast_Miner_Config_Pool
{
    meta:
        description = "Settings of a miner, with a pool and the account that is paid"
        source = "MITRE ATT&CK T1496.001; XMRig documentation, Config file"
        severity = "pua"
    strings:
        $pools = /"pools"\s*:\s*\[/
        $url = /"url"\s*:\s*"(stratum\+(tcp|ssl|tls):\/\/)?[\w.\-]{4,80}:[0-9]{2,5}"/
        $user = /"(user|wallet|wallet_address)"\s*:\s*"[1-9A-HJ-NP-Za-km-z.+\-@]{26,140}[^"\n]{0,60}"/
        $own = /"(donate-level|randomx|nicehash|rig-id|cpu-affinity|hw-aes|algo-perf|max-threads-hint|argon2-impl|keepalive)"\s*:/
    condition:
        filesize < 64KB and $url and $user and ($pools or #own > 1) and #own > 0
}

rule Holdfast_Miner_Shell_HiddenStart
{
    meta:
        description = "Shell text that starts a miner for an account in the background, out of sight"
        source = "MITRE ATT&CK T1496.001, T1564.001"
        severity = "infected"
    strings:
        $stratum = /stratum\+?(tcp|ssl|tls|1\+tcp|2\+tcp)?:\/\/[\w.\-${}]{4,80}:?[0-9${]/
        $account = /(-u|--user|--wallet)[ \t=]+["']?([48][1-9A-HJ-NP-Za-km-z]{94}|\$\{?\w*(WALLET|ADDR|XMR)\w*|[13][1-9A-HJ-NP-Za-km-z]{25,34}|0x[0-9a-fA-F]{40})/ nocase
        $pool = /(-o|--url|--pool)[ \t=]+["']?((stratum[\w+]{0,6}:\/\/)?[\w.\-${}]{4,80}:[0-9${]|\$\{?\w*(POOL|URL))/
        $quiet = /(\bnohup\s|\bsetsid\s|\bdisown\b|>\s*\/dev\/null\s+2>&1\s*&|&>\s*\/dev\/null\s*&|\bscreen\s+-dm|--background\b|\s-B\b)/
        $hide = /(\bchattr\s+\+i|\bcrontab\s+-|\/(tmp|var\/tmp|dev\/shm)\/\.|\bpkill\s|\bkillall\s|HISTFILE|history\s+-c|\/etc\/cron|kill\s+-9\s)/
    condition:
        filesize < 256KB and uint16be(0) == 0x2321 and (($stratum and $account) or ($pool and $account)) and $quiet and $hide
}

rule Holdfast_Miner_Shell_KillsRivals
{
    meta:
        description = "Shell text that ends other people's miners and then fetches and starts something of its own"
        source = "MITRE ATT&CK T1496.001, T1489; Trend Micro and Aqua write-ups of Kinsing (kdevtmpfsi)"
        severity = "infected"
    strings:
        $kill = /\b(pkill|killall)[ \t]+(-\w+[ \t]+)*["']?[\w.\/\-]{0,20}(kdevtmpfsi|kinsing|xmrig|xmr|minerd|minergate|cryptonight|sysrv|stratum|ddgs|watchbog|kworkerds|cnrig|networkservice|sysupdate|kthrotlds|nicehash|monero|cpuminer|kthreadi|crypto-?pool|moneroocean|supportxmr)/
        $grep = /\bgrep[ \t]+(-\w+[ \t]+)*["']?[^\n|]{0,40}(kdevtmpfsi|kinsing|xmrig|minerd|minergate|cryptonight|sysrv|stratum|ddgs|watchbog|kworkerds|cnrig|monero|pool\.|:3333|:5555|:7777|:14444)[^\n]{0,120}\|[ \t]*(xargs[ \t]+)?(-\w+[ \t]+)*(-I[ \t]?[%{}]+[ \t]+)?kill/
        $fetch = /\b(curl|wget|fetch|lwp-download)[ \t]+[^\n]{0,100}(https?:\/\/|\$)/
        $start = /\b(chmod[ \t]+(-R[ \t]+)?(\+x|0?7[0-7]{2}|u\+x|a\+x)|nohup[ \t]|crontab[ \t]+-)/
    condition:
        filesize < 256KB and #kill + #grep > 2 and $fetch and $start
}
