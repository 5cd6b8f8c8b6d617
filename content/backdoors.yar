// SPDX-License-Identifier: Apache-2.0
// Reverse shells and accounts left behind. [MITRE ATT&CK T1059, T1548, T1136]

rule Holdfast_Backdoor_Shell_DevTcp
{
    meta:
        description = "Shell text that ties an interactive shell to a network connection of bash"
        source = "MITRE ATT&CK T1059.004; GTFOBins, bash, Reverse shell"
        severity = "infected"
    strings:
        $interactive = /\b(ba|z|k|c|da)?sh["']?\s+(-\w+\s+)*-\w*i\w*\s*(>&|&>|<>|>|0?<|[0-9]<>)\s*["']?\/dev\/(tcp|udp)\/[\w.\-${}]+\/([0-9]{1,5}|\$)/
        $dup = /\b(ba|z|k|da)?sh["']?\s+(-i\s+)?(0?<&|<&)\s*[0-9]{1,3}\s+(1?>&)\s*[0-9]{1,3}/
        $loop = /while\s+read\s+(-\w+\s+)*\w+\s*(<&\s*[0-9]{1,3}\s*)?;\s*do\s+(eval\s+)?["']?\$\{?\w+\}?["']?\s*(2>&1\s*>|2>&[0-9]{1,3}\s*>|>)&\s*[0-9]{1,3}/
        $descriptor = /\bexec\s+([0-9]{1,3})?\s*(<>|<|>)\s*&?\s*["']?\/dev\/(tcp|udp)\/[\w.\-${}]+\/([0-9]{1,5}|\$)/
    condition:
        filesize < 64KB and ($interactive or ($descriptor and ($dup or $loop)))
}

rule Holdfast_Backdoor_Shell_NetcatExec
{
    meta:
        description = "Netcat that gives a shell to another machine's address"
        source = "MITRE ATT&CK T1059.004, T1095; GTFOBins, nc"
        severity = "suspicious"
    strings:
        $after = /\b(nc|ncat|netcat)(\.(traditional|exe))?[ \t]+(--?[a-zA-Z0-9\-]+[ \t]+([0-9]{1,3}[ \t]+)?){0,4}["']?([0-9]{1,3}\.){3}[0-9]{1,3}["']?[ \t]+[0-9]{1,5}[ \t]+(-[a-zA-Z]+[ \t]+){0,3}(-\w*[ec]|--exec|--sh-exec)[ \t=]+["']?(\/(usr\/)?bin\/)?((ba|da|z|k)?sh|cmd(\.exe)?|powershell(\.exe)?)\b/
        $before = /\b(nc|ncat|netcat)(\.(traditional|exe))?[ \t]+(--?[a-zA-Z0-9\-]+[ \t]+([0-9]{1,3}[ \t]+)?){0,3}(-\w*[ec]|--exec|--sh-exec)[ \t=]+["']?(\/(usr\/)?bin\/)?((ba|da|z|k)?sh|cmd(\.exe)?|powershell(\.exe)?)["']?[ \t]+(--?[a-zA-Z0-9\-]+[ \t]+([0-9]{1,3}[ \t]+)?){0,3}["']?([0-9]{1,3}\.){3}[0-9]{1,3}["']?[ \t]+[0-9]{1,5}\b/
        $socat = /\bsocat[ \t]+[^\n|]{0,60}(exec|system):["']?(\/(usr\/)?bin\/)?(ba|da|z)?sh[^\n]{0,60}(tcp|tcp4|openssl|udp)(-connect)?:([0-9]{1,3}\.){3}[0-9]{1,3}:[0-9]/ nocase
        $socat_turned = /\bsocat[ \t]+[^\n|]{0,30}(tcp|tcp4|openssl|udp)(-connect)?:([0-9]{1,3}\.){3}[0-9]{1,3}:[0-9]{1,5}[^\n]{0,30}(exec|system):["']?(\/(usr\/)?bin\/)?(ba|da|z)?sh\b/ nocase
    condition:
        filesize < 32KB and any of them
}

rule Holdfast_Backdoor_Shell_FifoRelay
{
    meta:
        description = "An interactive shell relayed through a named pipe to a network tool"
        source = "MITRE ATT&CK T1059.004; GTFOBins, Reverse shell with mkfifo"
        severity = "infected"
    strings:
        $fifo = /\b(mkfifo|mknod)[ \t]+(-m[ \t]*[0-7]+[ \t]+)?["']?[\w.\/${}\-]{1,60}/
        $relay = /\b(ba|da|z|k)?sh[ \t]+-i[ \t]*(2>&1|\|&|>&)?[ \t]*\|?[ \t]*(2>&1[ \t]*\|)?[ \t]*((nc|ncat|netcat|telnet)[ \t]+(--?[a-km-zA-Z0-9\-]{1,20}[ \t]+([0-9]{1,4}[ \t]+)?){0,4}["']?[\w${.][^\s|]{2,80}[ \t]+["']?[\w$]|socat[ \t]|openssl[ \t]+s_client)[^\n|]{0,120}(>|\|[ \t]*tee)/
        $telnet = /\btelnet[ \t]+\S{4,60}[ \t]+[0-9]{1,5}[ \t]*<?[^\n|]{0,30}\|[ \t]*(\/(usr\/)?bin\/)?(ba|da|z|k)?sh[ \t]*(2>&1[ \t]*)?(\||>)[ \t]*(telnet[ \t]+\S{4,60}[ \t]+[0-9]{1,5}|[\w.\/]{2,40})/
    condition:
        filesize < 64KB and (($fifo and $relay) or $telnet)
}

rule Holdfast_Backdoor_Python_ReverseShell
{
    meta:
        description = "Python that connects to another machine and puts a shell on the connection"
        source = "MITRE ATT&CK T1059.006; GTFOBins, python, Reverse shell"
        severity = "infected"
    strings:
        $connect = /\.\s*connect(_ex)?\s*\(\s*\(/
        $connect_name = /\bcreate_connection\s*\(\s*\(/
        $dup = /\bdup2\s*\(\s*[\w.]{1,30}(\s*\(\s*\))?\s*,\s*(\w{1,12}|[012]|sys\s*\.\s*std(in|out|err)\s*\.\s*fileno\s*\(\s*\))\s*\)/
        $shell = /\b(spawn\w*|call|run|Popen|check_call|check_output|exec[vl]p?e?|system)\s*\(\s*[\[\(]?\s*["'](\/(usr\/)?bin\/)?((ba|da|z|k)?sh|cmd(\.exe)?)(\s+-i)?["']/
    condition:
        filesize < 64KB and any of ($connect*) and $dup and $shell
}

rule Holdfast_Backdoor_Python_CommandLoop
{
    meta:
        description = "Python that connects out, and sends back the output of every command that it receives"
        source = "MITRE ATT&CK T1059.006, T1071"
        severity = "suspicious"
    strings:
        $import = /\bimport\s+[\w, ]{0,40}\bsocket\b/
        $connect = /\.\s*connect\s*\(\s*\(?\s*(["']([0-9]{1,3}\.){3}[0-9]{1,3}["']|["'][\w.\-]{4,60}["']|[A-Za-z_]\w{0,30})\s*,\s*[\w()]{1,30}\s*\)/
        $take = /\b(\w{1,30})\s*=\s*\w{1,30}\s*\.\s*recv\s*\(/
        $run = /\b(subprocess\s*\.\s*(Popen|check_output|run|getoutput|getstatusoutput)|os\s*\.\s*popen|commands\s*\.\s*getoutput)\s*\(\s*(\[\s*["'](\/bin\/)?sh["']\s*,\s*["']-c["']\s*,\s*)?(cmd|command|data|c|d|x|buf|msg|recv|r|line|shell_cmd|received|output)\b/
        $send = /\.\s*(send|sendall)\s*\(/
        $loop = /\bwhile\s+(True|1|not\s+\w+)\s*:/
        $class = /\n\s*(class|async def)\s+\w/
    condition:
        filesize < 8KB and $import and $connect and $take and $run and $send and $loop and #class < 2
}

rule Holdfast_Backdoor_Perl_ReverseShell
{
    meta:
        description = "Perl that ties the standard descriptors to a connection and starts a shell"
        source = "MITRE ATT&CK T1059; GTFOBins, perl, Reverse shell"
        severity = "infected"
    strings:
        $socket = /\b(use\s+Socket\b|-MIO\b|-MSocket\b|IO::Socket(::INET)?\b)/
        $connect = /\bconnect\s*\(|\bPeerAddr\b|PeerHost\b|Socket::INET\s*(->|\()\s*new?/
        $open = /\bopen\s*\(?\s*\*?(STDIN|STDOUT|STDERR)\s*,\s*["']?[<>+]{0,2}&?["']?\s*,?\s*(\\?\*)?["']?[<>]?&?\$?\w/
        $fdopen = /(\bSTDIN|\bSTDOUT|\bSTDERR|\$~)\s*->\s*fdopen\s*\(\s*\$\w{1,20}\s*,/
        $shell = /\b(exec|system)\s*[\(\{]?\s*["'{ ]{0,3}(\/(usr\/)?bin\/)?(ba|da|z|k)?sh(\s+-i)?\s*["'}]/
        $loop = /\bsystem\s*(\(\s*)?\$_\s*\)?\s*(while|for)\s*(\(\s*)?<>/
        $printed = /`\$_`|qx[\(\{\/|]\$\w{1,12}[\)\}\/|]/
    condition:
        filesize < 64KB and $socket and $connect and
        ((#open > 1 and $shell) or ($fdopen and ($shell or $loop or $printed)))
}

rule Holdfast_Backdoor_PHP_ReverseShell
{
    meta:
        description = "PHP that connects to another machine and puts a shell on the connection"
        source = "MITRE ATT&CK T1059, T1505.003; GTFOBins, php, Reverse shell"
        severity = "infected"
    strings:
        $connect = /\b(fsockopen|pfsockopen|stream_socket_client|socket_connect)\s*\(/ nocase
        $dup = /\b(exec|shell_exec|system|passthru|popen|proc_open)\s*\(\s*["'](\/(usr\/)?bin\/)?(ba|da|z|k)?sh\s+(-i\s+)?0?<&\s*[0-9]\s*1?>&\s*[0-9]/ nocase
        $ticks = /`\s*(\/bin\/)?(ba|da|z|k)?sh\s+(-i\s+)?0?<&\s*[0-9]\s*1?>&\s*[0-9]/
        $spawn = /\bproc_open\s*\(\s*(["'](\/(usr\/)?bin\/)?(ba|da|z|k)?sh(\s+-i)?["']|["']cmd(\.exe)?["']|\$\w{1,20})\s*,\s*(\$\w{1,30}|array\s*\(|\[)/ nocase
        $shell = /["'](uname -a;[^"'\n]{0,40})?(\/(usr\/)?bin\/)?((ba|da|z|k)?sh(\s+-i)?|cmd(\.exe)?)["']/ nocase
        $pumped = /\bfwrite\s*\(\s*\$\w{1,20}\s*(\[\s*[0-2]\s*\])?\s*,\s*(\$\w{1,20}|fread\s*\(|fgets\s*\()/ nocase
        $direct = /0\s*=>\s*\$(\w{1,20})\s*,\s*1\s*=>\s*\$\w{1,20}\s*,\s*2\s*=>/
    condition:
        filesize < 64KB and $connect and ($dup or $ticks or ($spawn and $shell and ($direct or #pumped > 1)))
}

rule Holdfast_Backdoor_Ruby_ReverseShell
{
    meta:
        description = "Ruby that connects to another machine and puts a shell or a command loop on the connection"
        source = "MITRE ATT&CK T1059; GTFOBins, ruby, Reverse shell"
        severity = "infected"
    strings:
        $connect = /\bTCPSocket\s*\.\s*(new|open)\b/
        $format = /(\/(usr\/)?bin\/)?(ba|da|z|k)?sh\s+(-i\s+)?<&%d\s*>&%d/
        $reopen = /(\bSTDIN|\bSTDOUT|\bSTDERR|\$std(in|out|err))\s*\.\s*reopen\s*\(?\s*\w/
        $exec = /\b(exec|system|spawn)\s*\(?\s*["'](\/(usr\/)?bin\/)?(ba|da|z|k)?sh/
        $spawn = /\b(spawn|system|exec|popen)\s*\(?\s*["'\[]{1,2}(\/(usr\/)?bin\/)?(ba|da|z|k)?sh["'\] ,\-i]{1,9}[^\n]{0,20}(:in\b|\[:in)/
        $loop = /while\s*\(?\s*\w{1,20}\s*=\s*\w{1,20}\.gets\b[^\n]{0,80}\n?[^\n]{0,40}IO\.popen\s*\(?\s*\w{1,20}/
    condition:
        filesize < 64KB and $connect and ($format or $loop or $spawn or (#reopen > 1 and $exec))
}

rule Holdfast_Backdoor_NodeJS_ReverseShell
{
    meta:
        description = "JavaScript for Node that pipes a shell into an outgoing connection"
        source = "MITRE ATT&CK T1059.007; GTFOBins, node, Reverse shell"
        severity = "infected"
    strings:
        $net = /\b(require\s*\(\s*["'`](node:)?(net|tls)["'`]\s*\)|from\s+["'](node:)?(net|tls)["'])/
        $child = /["'`](node:)?child_process["'`]/
        $connect = /\b(connect|createConnection)\s*\(\s*(\{|[0-9]{1,5}\b|["'`\w])/
        $shell = /\b(spawn|exec|execFile|fork)\s*\(\s*(["'`](\/(usr\/)?bin\/)?((ba|da|z|k)?sh|cmd(\.exe)?|powershell(\.exe)?)["'`]|\w{1,20}\s*===?\s*["'`]win32|process\s*\.\s*platform)/
        $into = /\.\s*pipe\s*\(\s*\w{1,20}\s*\.\s*stdin\s*\)/
        $out = /\.\s*(stdout|stderr)\s*\.\s*pipe\s*\(\s*\w{1,20}/
    condition:
        filesize < 64KB and $net and $child and $connect and $shell and $into and $out
}

rule Holdfast_Backdoor_PowerShell_ReverseShell
{
    meta:
        description = "PowerShell that runs what a TCP connection brings and sends the output back"
        source = "MITRE ATT&CK T1059.001, T1095"
        severity = "infected"
    strings:
        $client = "Net.Sockets.TcpClient" nocase ascii wide
        $stream = ".GetStream(" nocase ascii wide
        $run = /\b(iex|Invoke-Expression)\b/ nocase ascii wide
        $run_block = "[scriptblock]::Create(" nocase ascii wide
        $read = /\.\s*(Read|ReadLine)\s*\(/ nocase ascii wide
        $write = /\.\s*(Write|WriteLine|Flush)\s*\(/ nocase ascii wide
        $process = /(FileName\s*=\s*["'](cmd|powershell)(\.exe)?["']|Start\(\s*["'](cmd|powershell))/ nocase ascii wide
        $redirect = "RedirectStandardInput" nocase ascii wide
    condition:
        filesize < 256KB and $client and $stream and $read and $write and
        ($run or $run_block or ($process and $redirect))
}

rule Holdfast_Backdoor_Shell_SetuidCopy
{
    meta:
        description = "Shell text that leaves a copy of a shell which runs with root's rights"
        source = "MITRE ATT&CK T1548.001"
        severity = "infected"
    strings:
        $copy = /\b(cp|install|cat)[ \t]+(-\w+[ \t]+)*["']?(\/usr)?\/bin\/(ba|da|z|k)?sh["']?[ \t]+>?[ \t]*["']?\/(tmp|var\/tmp|dev\/shm|var\/lib|usr\/lib|lib|var\/www|home\/\w{1,20}|opt|usr\/local)\/[\w.\/\-]{1,60}/
        $mode = /\bchmod[ \t]+(-\w+[ \t]+)*(\w{0,4}\+\w{0,4}s\w{0,3}|0?[4567][0-7]{3})[ \t]+["']?\/(tmp|var\/tmp|dev\/shm|var\/lib|usr\/lib|lib|var\/www|home\/\w{1,20}|opt|usr\/local)\/[\w.\/\-]{1,60}/
        $plain = /\bchmod[ \t]+(-\w+[ \t]+)*([ug]{0,2}\+[rwx]{0,3}s|0?[46][0-7]{3})[ \t]+["']?(\/usr)?\/bin\/(ba|da|z|k)?sh\b/
        $install = /\binstall[ \t]+[^\n;]{0,40}-m[ \t]*[ =]?0?[4567][0-7]{3}[ \t]+[^\n;]{0,40}\/bin\/(ba|da|z|k)?sh[ \t]+\/(tmp|var|dev\/shm|usr|lib|opt|home)\//
    condition:
        filesize < 256KB and (($copy and $mode) or $plain or $install)
}

rule Holdfast_Backdoor_Shell_SecondRoot
{
    meta:
        description = "Shell text that adds another account with root's number and sets its password by itself"
        source = "MITRE ATT&CK T1136.001, T1098"
        severity = "suspicious"
    strings:
        $useradd = /\b(useradd|adduser|usermod)[ \t]+[^\n;|]{0,120}(-\w*o\w*[ \t]+[^\n;|]{0,60}(-u|--uid)[ \t=]*0\b|(-u|--uid)[ \t=]*0[ \t]+[^\n;|]{0,60}-o\b|-ou[ \t]*0\b)/
        $line = /\b(echo|printf)[ \t]+(-\w+[ \t]+)?["']?[\w.\-]{1,32}:[^:\s"']{0,120}:0:0:[^\n]{0,100}>>[ \t]*["']?\/etc\/passwd\b/
        $password = /(\||<<<)[ \t]*(sudo[ \t]+)?(chpasswd|passwd\b)|\bopenssl[ \t]+passwd\b|:\$[156y]\$|chpasswd[ \t]*<<</
        $line_hash = /\b(echo|printf)[ \t]+(-\w+[ \t]+)?["']?[\w.\-]{1,32}:(\$|\\\$)?[\w.\/$]{8,120}:0:0:[^\n]{0,100}>>[ \t]*["']?\/etc\/passwd\b/
    condition:
        filesize < 256KB and (($useradd and $password) or ($line and $password) or $line_hash)
}
