// SPDX-License-Identifier: Apache-2.0
// Ways to come back after a restart, to spread, and to go unseen. [MITRE ATT&CK TA0003, TA0005, TA0008]

rule Holdfast_Persistence_Linux_LdSoPreload
{
    meta:
        description = "Shell text that loads a library of its own into every program and got it from elsewhere or makes it irremovable"
        source = "MITRE ATT&CK T1574.006; ld.so(8), FILES, /etc/ld.so.preload"
        severity = "infected"
    strings:
        $write = /\.so[\w.]{0,12}["']?[ \t]*(>>?|\|[ \t]*(sudo[ \t]+)?tee[ \t]+(-a[ \t]+)?)[ \t]*["']?\/etc\/ld\.so\.preload/
        $write_variable = /\b(echo|printf)[ \t]+[^\n]{0,20}\$\{?\w{1,24}\}?[^\n]{0,12}(>>?|\|[ \t]*tee[ \t]+(-a[ \t]+)?)[ \t]*["']?\/etc\/ld\.so\.preload/
        $odd = /(\/(tmp|var\/tmp|dev\/shm)\/[^\s"']{0,60}|\/\.[^\s"'\/]{0,40})\.so[\w.]{0,12}["']?[ \t]*(>>?|\|[ \t]*(sudo[ \t]+)?tee[ \t]+(-a[ \t]+)?)[ \t]*["']?\/etc\/ld\.so\.preload/
        $made = /\b(curl|wget)[ \t]+[^\n]{0,160}\.so\b|\bgcc[ \t]+[^\n]{0,80}-shared\b|\bbase64[ \t]+(-d|--decode)\b|-shared[ \t]+[^\n]{0,60}-fPIC/
        $fixed = /\bchattr[ \t]+(-\w+[ \t]+)*\+\w{0,3}i\w{0,3}[ \t]+[^\n]{0,60}(\/etc\/ld\.so\.preload|\.so\b)/
    condition:
        filesize < 512KB and ($odd or (($write or $write_variable) and ($made or $fixed)))
}

rule Holdfast_Persistence_Linux_PreloadFile
{
    meta:
        description = "What looks like the preload file itself, naming a library in a folder for temporary files or a hidden one"
        source = "MITRE ATT&CK T1574.006; ld.so(8)"
        severity = "suspicious"
    strings:
        $library = /\/(tmp|var\/tmp|dev\/shm|run\/user)\/[^\s#]{1,80}\.so[\w.]{0,12}\s{0,2}/
        $hidden = /\/(usr\/local\/lib|usr\/lib|usr\/lib64|lib|lib64|etc|opt|var|bin|root)[\w\/\-]{0,40}\/\.[^\s\/#]{1,60}(\/[^\s#]{1,60})?\.so[\w.]{0,12}\s{0,2}/
    condition:
        filesize < 256 and uint8(0) == 0x2f and
        (($library at 0 and !library[1] + 2 > filesize) or ($hidden at 0 and !hidden[1] + 2 > filesize))
}

rule Holdfast_Persistence_Cron_FetchAndRun
{
    meta:
        description = "A timer line that again and again runs what a server sends"
        source = "MITRE ATT&CK T1053.003, T1105"
        severity = "infected"
    strings:
        $line = /(\*|[0-9]{1,2})[0-9*\/,\-]{0,20}([ \t]+[0-9*][0-9*\/,\-]{0,20}){4}[ \t]+(root[ \t]+)?[^\n#]{0,60}\b(curl|wget|lynx|fetch)[ \t]+[^\n|]{3,200}\|[ \t]*(\/(usr\/)?bin\/)?((ba|da|z|k)?sh|python[23]?|perl)\b/
        $named = /@(reboot|hourly|daily|minutely|weekly)[ \t]+(root[ \t]+)?[^\n#]{0,60}\b(curl|wget|lynx|fetch)[ \t]+[^\n|]{3,200}\|[ \t]*(\/(usr\/)?bin\/)?((ba|da|z|k)?sh|python[23]?|perl)\b/
        $substituted = /(\*|[0-9]{1,2})[0-9*\/,\-]{0,20}([ \t]+[0-9*][0-9*\/,\-]{0,20}){4}[ \t]+(root[ \t]+)?(\/(usr\/)?bin\/)?(ba|da|z|k)?sh[ \t]+(-c[ \t]+["']?(\$\(|`)|<[ \t]*\()[ \t]*(curl|wget|lynx)[ \t]/
        $decoded = /(\*|[0-9]{1,2})[0-9*\/,\-]{0,20}([ \t]+[0-9*][0-9*\/,\-]{0,20}){4}[ \t]+(root[ \t]+)?[^\n#]{0,20}\b(echo|printf)[ \t]+(-\w+[ \t]+)?["']?[A-Za-z0-9+\/=]{24,}["']?[ \t]*\|[ \t]*(base64|openssl|xxd)[ \t]+[^\n|]{1,30}\|[ \t]*(\/(usr\/)?bin\/)?((ba|da|z|k)?sh|python[23]?|perl)\b/
        $plain = /\b(curl|wget|lynx|fetch)[ \t]+[^\n|]{0,120}(http:\/\/|https?:\/\/([0-9]{1,3}\.){3}[0-9]{1,3}|pastebin\.com|paste\.|rentry\.co|transfer\.sh|raw\.githubusercontent|\.onion|\.(workers|trycloudflare|ngrok)|\$\{?\w)/
    condition:
        filesize < 512KB and ($decoded or (any of ($line, $named, $substituted) and $plain))
}

rule Holdfast_Persistence_Cron_HiddenProgram
{
    meta:
        description = "A timer line that starts a hidden program in a folder for temporary files"
        source = "MITRE ATT&CK T1053.003, T1564.001"
        severity = "suspicious"
    strings:
        $line = /(\*|[0-9]{1,2})[0-9*\/,\-]{0,20}([ \t]+[0-9*][0-9*\/,\-]{0,20}){4}[ \t]+(root[ \t]+)?((\/(usr\/)?bin\/)?(ba|da)?sh[ \t]+(-c[ \t]+)?)?["']?\/(tmp|var\/tmp|dev\/shm)\/([\w\-]{1,24}\/)?\.[^\s.\/]/
        $named = /@(reboot|hourly|daily|weekly)[ \t]+(root[ \t]+)?((\/(usr\/)?bin\/)?(ba|da)?sh[ \t]+(-c[ \t]+)?)?["']?\/(tmp|var\/tmp|dev\/shm)\/([\w\-]{1,24}\/)?\.[^\s.\/]/
    condition:
        filesize < 512KB and any of them
}

rule Holdfast_Persistence_Systemd_Unit
{
    meta:
        description = "A service that starts a program from a folder for temporary files, or what a server sends"
        source = "MITRE ATT&CK T1543.002"
        severity = "suspicious"
    strings:
        $section = /\[Service\]\s/
        $place = /\nExec(Start|StartPre|StartPost|Stop|Reload)[ \t]*=[ \t]*[\-@:+!]{0,3}((\/(usr\/)?bin\/)?((ba|da)?sh|env|nohup|python[0-9.]{0,4}|perl)[ \t]+(-\w+[ \t]+)?)?["']?\/(tmp|var\/tmp|dev\/shm)\/[^\s"']/
        $hidden = /\nExec(Start|StartPre|StartPost)[ \t]*=[ \t]*[\-@:+!]{0,3}((\/(usr\/)?bin\/)?((ba|da)?sh|env|nohup)[ \t]+(-\w+[ \t]+)?)?["']?\/(usr|lib|etc|var|opt|bin|root|home)[\w\/\-]{0,60}\/\.[^\s.\/]/
        $fetch = /\nExec(Start|StartPre|StartPost)[ \t]*=[^\n]{0,60}\b(ba|da)?sh["']?[ \t]+-\w*c[ \t]+[^\n]{0,120}((\b(curl|wget)\b[^\n|]{3,200}\|[ \t]*(\/bin\/)?(ba|da)?sh\b)|\/dev\/(tcp|udp)\/|\bbase64[ \t]+(-d|--decode)[ \t]*\|[ \t]*(ba|da)?sh\b)/
        $kept = /\n(Restart[ \t]*=[ \t]*(always|on-)|WantedBy[ \t]*=|RestartSec)/
    condition:
        filesize < 128KB and $section and $kept and any of ($place, $hidden, $fetch)
}

rule Holdfast_Persistence_Udev_Command
{
    meta:
        description = "A rule for devices that runs a shell command of the network or a program among temporary files"
        source = "MITRE ATT&CK T1546.017; Aon Stroz Friedberg, Unveiling sedexp: A Stealthy Linux Malware (2024)"
        severity = "suspicious"
    strings:
        $run = /\bRUN(\{program\})?[ \t]*\+?=[ \t]*"((\/(usr\/)?bin\/)?((ba|da)?sh|env|nohup|setsid)[ \t]+(-c[ \t]+)?['\\]{0,2})?(\/(tmp|var\/tmp|dev\/shm)\/[\w.\-]|\/[\w\/\-]{1,60}\/\.[\w\-]|[^"\n]{0,80}(\/dev\/(tcp|udp)\/|\b(curl|wget)[ \t]+[^"\n]{3,160}\||\bbase64[ \t]+(-d|--decode)|[ \/]nc[ \t]+[^"\n]{0,60}-e))/
        $match = /\b(ACTION|SUBSYSTEM|KERNEL|ENV\{\w{2,20}\}|ATTRS?\{\w{2,20}\})[ \t]*==/
    condition:
        filesize < 64KB and $run and $match
}

rule Holdfast_Persistence_SSH_KeyPlanted
{
    meta:
        description = "Shell text that plants a key for remote login and makes it irremovable or wipes its own traces"
        source = "MITRE ATT&CK T1098.004, T1222.002, T1070.003"
        severity = "infected"
    strings:
        $key = /\bssh-(rsa|ed25519|dss)[ \t]+AAAA[A-Za-z0-9+\/]{20}|\$\{?\w{0,16}(KEY|key)\w{0,8}\}?/
        $append = />>?[ \t]*["']?[\w.\/~${}]{0,60}\.ssh\/authorized_keys2?/
        $tee = /\btee[ \t]+(-a[ \t]+)?["']?[\w.\/~${}]{0,60}\.ssh\/authorized_keys2?/
        $fixed = /\bchattr[ \t]+(-R[ \t]+)?[+\-]\w{0,4}[ia]\w{0,4}[ \t]+[^\n]{0,60}(\.ssh|authorized_keys)/
        $history = /\b(unset[ \t]+HIST(FILE|SIZE|ORY|CONTROL)|history[ \t]+-c|HISTFILE=\/dev\/null|HIST(FILE)?SIZE=0|rm[ \t]+(-\w+[ \t]+)*[\w\/~$.]{0,30}\.bash_history|>[ \t]*~?[\w\/$]{0,20}\/?\.bash_history|ln[ \t]+-\w+[ \t]+\/dev\/null[ \t]+[\w\/~$.]{0,20}\.bash_history)/
        $touch = /\btouch[ \t]+(-\w+[ \t]+)*(-r|-acmr|-t|-d)[ \t]+[^\n]{2,60}(\.ssh|authorized_keys)/
    condition:
        filesize < 512KB and $key and ($append or $tee) and any of ($fixed, $history, $touch)
}

rule Holdfast_Worm_SSH_KnownHosts
{
    meta:
        description = "Shell text that logs in to every machine the user has been to and runs a command there"
        source = "MITRE ATT&CK T1021.004, T1018; public write-ups of Kinsing's spre.sh"
        severity = "infected"
    strings:
        $hosts = /\b(cat|grep|awk|sed|cut|find|strings|egrep)\b[^\n]{0,160}(known_hosts|\.bash_history|\.ssh\/config|\.zsh_history)/
        $login = /\bssh[ \t]+[^\n]{0,160}(-o[ \t]*)?["']?StrictHostKeyChecking[= ]["']?no\b[^\n]{0,200}\$\{?\w/
        $batch = /-o[ \t]*["']?(BatchMode[= ]yes|ConnectTimeout[= ][0-9]|PasswordAuthentication[= ]no|UserKnownHostsFile[= ]\/dev\/null)/
        $loop = /\b(for|while)[ \t]+[^\n]{1,120}\s*;?\s*do\b/
        $run = /\bssh[ \t]+[^\n]{0,300}["'`]?[^\n]{0,60}\b(curl|wget|base64|nohup|chmod|sh[ \t]+-c|crontab|\/tmp\/|\/dev\/shm\/)/
        $keys = /id_(rsa|ed25519|dsa|ecdsa)\b|IdentityFile/
    condition:
        filesize < 512KB and $hosts and $login and $batch and $loop and $run and ($keys or #hosts > 1)
}

rule Holdfast_Worm_Redis_FileWrite
{
    meta:
        description = "Commands that make somebody's Redis write a timer, a login key or a web page"
        source = "MITRE ATT&CK T1190, T1053.003; Redis documentation, Security; Trend Micro, Exposed Redis instances abused for remote code execution (2020)"
        severity = "infected"
    strings:
        $folder = /\bconfig[ \t"',]+set[ \t"',]+dir[ \t"',]+(\/var\/spool\/cron|\/etc\/cron|\/root\/\.ssh|\/home\/[\w.\-]{1,30}\/\.ssh|\/var\/www|\/usr\/share\/nginx|\/etc\/init\.d|\/etc\/systemd)/ nocase
        $name = /\bconfig[ \t"',]+set[ \t"',]+dbfilename[ \t"',]+["']?[\w.\-]/ nocase
        $save = /\b(bg)?save\b/ nocase
        $value = /\bset[ \t"',]+[\w"'${}]{1,24}[ \t"',]+[^\n]{0,60}(\*\/?[0-9]*[ \t]+\*[ \t]|ssh-(rsa|ed25519)|<\?php|\$\{?\w)|\s-x[ \t]+set[ \t]/ nocase
    condition:
        filesize < 512KB and $folder and $name and $save and $value
}

rule Holdfast_Worm_Docker_HostTakeover
{
    meta:
        description = "Commands that start a container on somebody's open Docker port, with the whole disk of the machine inside"
        source = "MITRE ATT&CK T1610, T1611; public write-ups of TeamTNT"
        severity = "suspicious"
    strings:
        $remote = /\bdocker[ \t]+(-H|--host)[ \t=]+["']?(tcp:\/\/)?[\w.\-${}]{2,60}(:[0-9${}\w]{2,12})?["']?[ \t]+(run|create)[ \t]+[^\n]{0,200}(-v|--volume)[ \t=]*["']?\/:\/?\w/
        $chroot = /\bchroot[ \t]+["']?\/\w{1,24}/
        $run = /\b(curl|wget|base64|crontab|authorized_keys|ssh-(rsa|ed25519))\b/
        $api = /\/containers\/create\b/
        $binds = /"Binds"\s*:\s*\[\s*"\/:\/\w/
        $api_escaped = /\\"Binds\\"\s*:\s*\[\s*\\"\/:\/\w/
        $command = /\\?"Cmd\\?"\s*:\s*\[[^\]]{0,400}\b(chroot|curl|wget|base64|crontab|authorized_keys)\b/
    condition:
        filesize < 512KB and (($remote and $chroot and $run) or ($api and ($binds or $api_escaped) and $command))
}

rule Holdfast_Stealer_Shell_SudoTrap
{
    meta:
        description = "A false sudo for somebody's shell that keeps the password"
        source = "MITRE ATT&CK T1056.003, T1546.004"
        severity = "infected"
    strings:
        $function = /(\bfunction[ \t]+sudo\b|\bsudo[ \t]*\(\)[ \t]*\{?|\balias[ \t]+sudo=)/
        $read = /\bread[ \t]+(-\w+[ \t]+){0,3}-\w*s\w*\b|\bstty[ \t]+-echo\b/
        $keep = /(>>?[ \t]*["']?(\/(tmp|var\/tmp|dev\/shm)\/|~\/\.|\$HOME\/\.)|\b(curl|wget|nc)[ \t])/
        $pass = /\bsudo[ \t]+(-\w+[ \t]+)*-S\b/
    condition:
        filesize < 128KB and $function and $read and $keep and $pass
}

rule Holdfast_Stealth_Shell_StopsGuards
{
    meta:
        description = "Shell text that removes the guards of cloud machines or switches several kinds of protection off, and fetches something"
        source = "MITRE ATT&CK T1562.001, T1562.004; Palo Alto Unit 42, Malware Used by Rocke Group Evolves to Evade Detection by Cloud Security Products (2019)"
        severity = "infected"
    strings:
        $cloud_url = /update\d?\.aegis\.aliyun\.com\/download\/\w{0,12}uninstall/
        $cloud_folder = /\/usr\/local\/qcloud\/(stargate\/admin\/uninstall|YunJing\/uninst|monitor\/barad\/admin\/uninstall)/
        $cloud_stop = /\b(service|systemctl|pkill|killall)[ \t]+(stop[ \t]+|disable[ \t]+|-9[ \t]+|-f[ \t]+)?(aegis|aliyun(-?\.?service|_assist\w*)?|AliYunDun\w*|cloudmonitor|bcm-(agent|si)|YDService|YDLive|barad_agent|hostguard|falcon-sensor)\b/
        $selinux = /\bsetenforce[ \t]+0\b|SELINUX=disabled/
        $apparmor = /\b(service[ \t]+apparmor[ \t]+stop|systemctl[ \t]+(stop|disable)[ \t]+(--now[ \t]+)?apparmor)/
        $firewall = /\bufw[ \t]+disable\b|\biptables[ \t]+-F\b|systemctl[ \t]+(stop|disable)[ \t]+(--now[ \t]+)?(firewalld|ufw|iptables)/
        $audit = /\b(systemctl|service)[ \t]+((stop|disable)[ \t]+(--now[ \t]+)?)?(auditd|rsyslog|syslog)([ \t]+stop)?\b|\bauditctl[ \t]+-e[ \t]*0/
        $watchdog = /nmi_watchdog[ \t]*=?[ \t]*0|echo[ \t]+["']?0["']?[ \t]*>[ \t]*\/proc\/sys\/kernel\/nmi_watchdog/
        $limits = /\bulimit[ \t]+-n[ \t]+[0-9]{5}/
        $fetch = /\b(curl|wget|cdt|wd1|cur|wge)[ \t]+[^\n]{0,100}(http:\/\/|https?:\/\/([0-9]{1,3}\.){3}[0-9]|\$\{?\w)/
        $start = /\bchmod[ \t]+(-R[ \t]+)?(\+x|0?7[0-7]{2}|u\+x|a\+x)|\|[ \t]*(ba|da)?sh\b|\bnohup[ \t]/
        $hide = /\bchattr[ \t]+-?(R[ \t]+)?[+\-]\w{0,4}i\w{0,4}[ \t]|\bcrontab[ \t]+-|HISTFILE|\/(tmp|var\/tmp|dev\/shm)\/\.|\/etc\/cron|kdevtmpfsi|xmrig/
    condition:
        filesize < 512KB and $fetch and $start and
        (#cloud_url + #cloud_folder + #cloud_stop > 1 or
         ($hide and 3 of ($selinux, $apparmor, $firewall, $audit, $watchdog, $limits)))
}

rule Holdfast_Stealth_Shell_WipesTraces
{
    meta:
        description = "Shell text that wipes the records of logins and its own history"
        source = "MITRE ATT&CK T1070.002, T1070.003"
        severity = "suspicious"
    strings:
        $log = /(\brm[ \t]+(-\w+[ \t]+)*|>[ \t]*|\bshred[ \t]+(-\w+[ \t]+)*|\btruncate[ \t]+-s[ \t]*0[ \t]+|\bcat[ \t]+\/dev\/null[ \t]*>[ \t]*|\bln[ \t]+-\w+[ \t]+\/dev\/null[ \t]+|:[ \t]*>[ \t]*)["']?\/var\/(log|run|adm)\/(wtmp|btmp|utmp|lastlog|secure|auth\.log|messages|syslog|faillog|maillog|cron|audit\/audit\.log)/
        $loop = /\bfor[ \t]+\w{1,16}[ \t]+in[ \t]+[^\n]{0,80}(wtmp|btmp|lastlog|utmp)[^\n]{0,60}(wtmp|btmp|lastlog|utmp|secure|auth\.log)/
        $loop_wipe = /(\brm[ \t]+-\w+|\bshred([ \t]+-\w+)*|\btruncate[ \t]+-s[ \t]*0|\/dev\/null[ \t]*>|\becho[ \t]*>)[ \t]*["']?\/var\/(log|run)\/\$\{?\w/
        $history = /\b(unset[ \t]+HIST(FILE|SIZE|ORY)|history[ \t]+-c|HISTFILE=\/dev\/null|HIST(FILE)?SIZE=0|(rm|shred)[ \t]+(-\w+[ \t]+)*[\w\/~$.]{0,30}\.(ba|z)sh_history|>[ \t]*~?[\w\/$]{0,20}\/?\.(ba|z)sh_history|ln[ \t]+-\w+[ \t]+\/dev\/null[ \t]+[\w\/~$.]{0,20}\.(ba|z)sh_history)/
    condition:
        filesize < 256KB and $history and (#log > 2 or ($loop and $loop_wipe))
}

rule Holdfast_Rootkit_Linux_ProcessHider
{
    meta:
        description = "A library that stands before the C library's folder reading, looks at process names and hides some"
        source = "MITRE ATT&CK T1014, T1574.006; public source of libprocesshider"
        severity = "suspicious"
    strings:
        $readdir = "readdir64"
        $readdir_plain = "readdir\x00"
        $next = "dlsym"
        $stat = "/proc/%s/stat"
        $cmdline = "/proc/%s/cmdline"
        $comm = "/proc/%s/comm"
        $fd = "/proc/self/fd/%d"
        $c_dlsym = /\bdlsym\s*\(\s*RTLD_NEXT\s*,\s*(#?\w{1,16}|"readdir(64)?")\s*\)/
        $c_override = /struct\s+dirent(64)?\s*\*\s*(readdir(64)?|name)\s*\(\s*DIR\s*\*/
    condition:
        filesize < 512KB and
        ((uint32be(0) == 0x7f454c46 and uint16(16) == 3 and any of ($readdir*) and $next and $fd and any of ($stat, $cmdline, $comm)) or
         ($c_dlsym and any of ($readdir*, $c_override) and $fd and any of ($stat, $cmdline, $comm)))
}
