// SPDX-License-Identifier: Apache-2.0
// Scripts that fetch or unpack a program and start it. [MITRE ATT&CK T1105, T1059, T1027]

rule Holdfast_Dropper_Shell_FolderHopping
{
    meta:
        description = "Shell text that tries one writable folder after the other, fetches a program there and starts it"
        source = "MITRE ATT&CK T1105; public write-ups of Mirai's and Gafgyt's loaders"
        severity = "infected"
    strings:
        $hop = /\bcd[ \t]+\/(tmp|var\/run|mnt|root|var\/tmp|dev\/shm|var|run|dev|home|usr\/bin|etc|boot|\S{0,12})\/?[ \t]*(2>\/dev\/null[ \t]*)?(\|\||;)[ \t]*cd[ \t]+\/(tmp|var\/run|mnt|root|var\/tmp|dev\/shm|var|run|dev|home|\s|\||;|$)/
        $hop_test = />[ \t]*\/(tmp|var\/run|mnt|var\/tmp|dev\/shm|var|dev|run|etc)\/\.?\w{0,16}[ \t]*&&[ \t]*cd[ \t]+\/(tmp|var\/run|mnt|var\/tmp|dev\/shm|var|dev|run|etc)\b/
        $fetch = /\b(wget|curl|tftp|ftpget|fetch)[ \t]+[^\n;]{0,60}(https?:\/\/|-g|-c[ \t]+get|([0-9]{1,3}\.){3}[0-9]{1,3})/
        $mode = /\bchmod[ \t]+(\+x|0?7[0-7]{2}|u\+x|a\+x|\+rwx)/
        $run = /(^|[;&|\n])[ \t]*(\.\/[\w.\-${}*]{1,40}|sh[ \t]+[\w.\-]{1,40})/
    condition:
        filesize < 64KB and ($hop or #hop_test > 1) and $fetch and $mode and $run
}

rule Holdfast_Dropper_Shell_ManyMachines
{
    meta:
        description = "Shell text that fetches one program for many kinds of processors from an address without a name"
        source = "MITRE ATT&CK T1105; public write-ups of Mirai's and Gafgyt's loaders"
        severity = "infected"
    strings:
        $fetch = /\b(wget|curl|tftp|ftpget)[ \t]+[^\n;|&]{0,80}([0-9]{1,3}\.){3}[0-9]{1,3}[^\n;|&]{0,80}(mips|mpsl|mipsel|arm[4-8]?l?|armv[4-8]l?|sh4|ppc|powerpc|m68k|x86(_64|_32)?|sparc|spc|arc|i[3456]86)\b/
        $loop = /\bfor[ \t]+\w{1,16}[ \t]+in[ \t]+["']?[^\n;]{0,80}((mips|mpsl|mipsel|arm[4-8]?l?|armv[4-8]l?|sh4|ppc|m68k|x86|sparc|spc|i[3456]86)["']?[ \t]+[^\n;]{0,24}){3}/
        $loop_fetch = /\b(wget|curl|tftp|ftpget)[ \t]+[^\n;|&]{0,80}(([0-9]{1,3}\.){3}[0-9]{1,3}|\$\{?\w{1,16}\}?)[:\/][^\n;|&]{0,60}\$\{?\w/
        $address = /(https?|ftp):\/\/([0-9]{1,3}\.){3}[0-9]{1,3}|=["']?([0-9]{1,3}\.){3}[0-9]{1,3}\b/
        $mode = /\bchmod[ \t]+(\+x|0?7[0-7]{2}|u\+x|a\+x|\+rwx)/
    condition:
        filesize < 64KB and $mode and (#fetch > 2 or ($loop and $loop_fetch and $address))
}

rule Holdfast_Dropper_Shell_PipeFromAddress
{
    meta:
        description = "Shell text that runs what a server without a name sends"
        source = "MITRE ATT&CK T1105, T1059.004"
        severity = "suspicious"
    strings:
        $pipe = /\b(curl|wget|lwp-request|fetch)[ \t]+[^\n|;&]{0,120}(http|ftp)s?:\/\/([0-9]{1,3}\.){3}[0-9]{1,3}[:\/][^\n|;&]{0,160}\|[ \t]*(sudo[ \t]+(-\w+[ \t]+)*)?(\/(usr\/)?bin\/)?((ba|da|z|k|a)?sh|python[23]?|perl|php)\b/
        $into = /\b(ba|da|z|k)?sh[ \t]+(-c[ \t]+["']?\$\(|<[ \t]*\()[ \t]*(curl|wget)[ \t]+[^\n|;&]{0,120}https?:\/\/([0-9]{1,3}\.){3}[0-9]{1,3}[:\/]/
        $near = /\b(curl|wget|lwp-request|fetch)[ \t]+[^\n|;&]{0,120}https?:\/\/(127\.|10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2[0-9]|3[01])\.)/
    condition:
        filesize < 256KB and #pipe + #into > #near
}

rule Holdfast_Dropper_Shell_DecodedPipe
{
    meta:
        description = "Shell text that carries its commands as encoded text and pipes them into a shell"
        source = "MITRE ATT&CK T1027.010, T1140"
        severity = "suspicious"
    strings:
        $pipe = /\b(echo|printf)[ \t]+(-\w+[ \t]+)?["']?[A-Za-z0-9+\/=\\]{40,}["']?[ \t]*\|[ \t]*(base64[ \t]+(-\w*[dDi]\w*|--decode)|openssl[ \t]+(enc[ \t]+)?-?base64[ \t]+-\w|xxd[ \t]+-r[ \t]*-?p?s?)[^\n|]{0,20}\|[ \t]*((gunzip|gzip|zcat|xz|bunzip2|rev)[^\n|]{0,12}\|[ \t]*)?(sudo[ \t]+)?(\/(usr\/)?bin\/)?((ba|da|z|k)?sh|python[23]?|perl)\b/
        $here = /\bbase64[ \t]+(-\w*[dD]\w*|--decode)[ \t]*<<<[ \t]*["']?[A-Za-z0-9+\/=]{40,}["']?[ \t]*\|[ \t]*(sudo[ \t]+)?(\/(usr\/)?bin\/)?((ba|da|z|k)?sh|python[23]?|perl)\b/
        $eval = /\b(eval|(ba|da|z|k)?sh[ \t]+-c|source|\.)[ \t]+["']?(\$\(|`|<\()[ \t]*(echo|printf)[ \t]+(-\w+[ \t]+)?["']?[A-Za-z0-9+\/=]{40,}["']?[ \t]*\|[ \t]*(base64[ \t]+(-\w*[dD]\w*|--decode)|xxd[ \t]+-r|openssl[ \t]+(enc[ \t]+)?-?base64)/
    condition:
        filesize < 8MB and any of them
}

rule Holdfast_Dropper_Shell_HiddenProgram
{
    meta:
        description = "Shell text that fetches a hidden file into a folder for temporary files and makes it run"
        source = "MITRE ATT&CK T1105, T1564.001"
        severity = "suspicious"
    strings:
        $curl = /\b(curl|wget)[ \t]+[^\n;|&]{0,160}(-o|-O|--output|--output-document|>)[ \t=]*["']?\/(tmp|var\/tmp|dev\/shm|run|var\/run|dev)\/([\w\-]{1,24}\/)?\.[\w\-]/
        $mode = /\bchmod[ \t]+(-\w+[ \t]+)?(\+x|0?[57][0-7]{2}|u\+x|a\+x|\+rwx)[ \t]+["']?\/(tmp|var\/tmp|dev\/shm|run|var\/run|dev)\/([\w\-]{1,24}\/)?\.[\w\-]/
        $run = /(^|[;&|\n]|nohup|setsid|exec|sudo|(ba|da)?sh|then|do)[ \t]*["']?\/(tmp|var\/tmp|dev\/shm|run|var\/run|dev)\/([\w\-]{1,24}\/)?\.[\w\-]/
    condition:
        filesize < 256KB and $curl and ($mode or $run)
}

rule Holdfast_Dropper_Python_EncodedBody
{
    meta:
        description = "Python whose code is a long encoded text that is unpacked and run"
        source = "MITRE ATT&CK T1027.010, T1059.006; PyPI malware write-ups (base64 and marshal loaders)"
        severity = "suspicious"
    strings:
        $call = /\b(exec|eval)\s*\(\s*(compile\s*\(\s*)?(((__import__\s*\(\s*["']\w{2,12}["']\s*\)|\w{1,24})\s*\.\s*)?(b(16|32|64|85)decode|a85decode|urlsafe_b64decode|standard_b64decode|decompress|loads|fromhex|unhexlify|decodebytes|decrypt)\s*\(\s*){1,6}(\w{1,16}\s*=\s*)?b?r?["']{1,3}[A-Za-z0-9+\/=\\_\-]{60}/
        $codecs = /\b(exec|eval)\s*\(\s*(compile\s*\(\s*)?codecs\s*\.\s*decode\s*\(\s*b?r?["']{1,3}[A-Za-z0-9+\/=\\_\- ().,]{60}/
        $lambda = /\bexec\s*\(\s*\(\s*_{1,3}\s*\)\s*\(\s*b["'][A-Za-z0-9+\/=\\]{60}/
        $method = /\b(exec|eval)\s*\(\s*b?["']{1,3}[0-9a-fA-F]{80,}["']{1,3}\s*\.\s*decode\s*\(\s*["']hex/
    condition:
        filesize < 32MB and any of them
}

rule Holdfast_Dropper_Python_RunsDownload
{
    meta:
        description = "Python that runs the text which it fetches from a server"
        source = "MITRE ATT&CK T1105, T1059.006"
        severity = "suspicious"
    strings:
        $exec = /\b(exec|eval)\s*\(\s*(compile\s*\(\s*)?(b64decode\s*\(\s*|base64\s*\.\s*b64decode\s*\(\s*|zlib\s*\.\s*decompress\s*\(\s*){0,2}(((__import__\s*\(\s*["'][\w.]{2,20}["'](,[^)\n]{1,40})?\)|\w{1,20})\s*\.\s*){0,3}urlopen|(__import__\s*\(\s*["']\w{2,20}["']\s*\)|requests|httpx|session|req|rq|r|s)\s*\.\s*get)\s*\(\s*(\w{1,20}\s*\.\s*)?(Request\s*\(\s*)?(["']https?:\/\/([0-9]{1,3}\.){3}[0-9]{1,3}|["']http:\/\/|["']https:\/\/(pastebin\.com|paste\.|rentry\.co|transfer\.sh|cdn\.discordapp|[\w\-]{4,40}\.(ngrok|repl|workers|vercel|trycloudflare)|raw\.githubusercontent\.com)|b64decode|base64\s*\.|bytes\s*\.\s*fromhex)/
    condition:
        filesize < 1MB and $exec
}

rule Holdfast_Dropper_Python_SetupHook
{
    meta:
        description = "An installer script of a Python package that fetches or decodes something and runs it while it is installed"
        source = "MITRE ATT&CK T1195.002; Datadog, GuardDog, heuristic cmd-overwrite"
        severity = "suspicious"
    strings:
        $setup = /\bsetup\s*\(/
        $hook = /["']?cmdclass["']?\s*[=:]\s*(\{|dict)/
        $class = /\bclass\s+\w{1,40}\s*\(\s*[\w.]{0,40}\b_?(install|develop|egg_info|build_py|sdist)\w{0,10}\s*\)/
        $run = /\bdef\s+(run|initialize_options|finalize_options|__init__)\s*\(\s*self/
        $execute = /\b(os\s*\.\s*(system|popen|startfile)|subprocess\s*\.\s*(Popen|call|run|check_output|check_call)|exec|eval)\s*\(/
        $fetch = /\b(urlopen|urlretrieve|requests\s*\.\s*(get|post))\s*\(\s*(f?["']https?:\/\/|b64decode|base64\.|\w{1,20}\s*[,)])/
        $fetch_shell = /(system|popen|Popen|call|run|check_output)\s*\(\s*\[?\s*f?["'](curl|wget|powershell|certutil|bitsadmin|mshta|start\s+\/b)\b[^\n]{0,200}https?:\/\//
        $decode = /\b(exec|eval|system|Popen|loads)\s*\(\s*(compile\s*\(\s*)?(\w{1,20}\s*\.\s*)?(b64decode|decompress|fromhex|decrypt)\s*\(/
        $sent = /\b(getpass\s*\.\s*getuser|gethostname|platform\s*\.\s*node|getlogin|os\s*\.\s*environ\b)/
        $post = /\b(requests\s*\.\s*post|urlopen)\s*\([^\n]{0,200}(discord(app)?\.com\/api\/webhooks|api\.telegram\.org|([0-9]{1,3}\.){3}[0-9]{1,3}|\.oast(ify)?\.|\.pipedream\.net|webhook\.site|\.interact\.sh|\.burpcollaborator)/
    condition:
        filesize < 128KB and $setup and $hook and $class and $run and
        (($execute and ($fetch or $fetch_shell)) or $decode or ($sent and $post))
}

rule Holdfast_Dropper_JavaScript_InstallHook
{
    meta:
        description = "A package description whose installation hook fetches something and runs it, or runs encoded code"
        source = "MITRE ATT&CK T1195.002, T1059.007; npm documentation, scripts (life cycle)"
        severity = "suspicious"
    strings:
        $hook = /"(pre|post)?install"\s*:\s*"[^"\n]{0,80}\b(curl|wget|powershell|certutil|bitsadmin|mshta|nslookup|Invoke-WebRequest|iwr)\b([^"\n\\]|\\.){0,300}((https?:)?\/\/|\$\(|`)[^"\n]{0,300}(\|\s*(ba|da|z)?sh\b|\|\s*node\b|\|\s*iex\b|&&\s*(sh|bash|node|chmod|start|\.\/)|;\s*(sh|bash|node|chmod|\.\/))/ nocase
        $sent = /"(pre|post)?install"\s*:\s*"[^"\n]{0,80}\b(curl|wget|nslookup|dig)\b([^"\n\\]|\\.){0,300}(\$\((whoami|hostname|id|env|cat|pwd|printenv|uname)|`(whoami|hostname|id|env|cat|pwd|uname)|\$(USER|HOSTNAME|AWS_|NPM_TOKEN|GITHUB_TOKEN)|@\/etc\/|-d\s+\\?["']?@)/
        $code = /"(pre|post)?install"\s*:\s*"[^"\n]{0,20}\bnode\s+(-e|--eval|-p)\s+([^"\n\\]|\\.){0,300}(child_process|eval\s*\(|Buffer\.from\s*\(|https?(\\['"]|['"])?\s*\)?\s*\.\s*get|atob\s*\()/
    condition:
        filesize < 256KB and any of them
}

rule Holdfast_Dropper_JavaScript_EncodedBody
{
    meta:
        description = "JavaScript whose code is a long encoded text that is decoded and evaluated"
        source = "MITRE ATT&CK T1027.010, T1059.007"
        severity = "suspicious"
    strings:
        $call = /\b(eval|Function)\s*\(\s*((window|global|globalThis|self)\s*\.\s*)?((Buffer\s*\.\s*from|new\s+Buffer|atob|unescape|decodeURIComponent)\s*\(\s*){1,3}["'`][A-Za-z0-9+\/=%]{120}/
        $timer = /\b(setTimeout|setInterval)\s*\(\s*((atob|unescape)\s*\(\s*){1,3}["'`][A-Za-z0-9+\/=%]{120}/
        $compile = /\.\s*_compile\s*\(\s*(Buffer\s*\.\s*from|atob)\s*\(\s*["'`][A-Za-z0-9+\/=%]{120}/
        $codes = /\beval\s*\(\s*String\s*\.\s*fromCharCode\s*\(\s*([0-9]{2,3}\s*,\s*){60}/
    condition:
        filesize < 8MB and any of them
}

rule Holdfast_Dropper_WSH_FetchSaveRun
{
    meta:
        description = "Windows script that fetches a file, saves it among temporary files and starts it"
        source = "MITRE ATT&CK T1059.005, T1059.007, T1105"
        severity = "infected"
    strings:
        $fetch = /\b(CreateObject|ActiveXObject)\s*\(\s*["'](MSXML2\.(Server)?XMLHTTP|Microsoft\.XMLHTTP|WinHttp\.WinHttpRequest)[\w.]{0,8}["']\s*\)/ nocase ascii wide
        $stream = /\b(CreateObject|ActiveXObject)\s*\(\s*["']ADODB\.Stream["']\s*\)/ nocase ascii wide
        $save = /\.\s*SaveToFile\b/ nocase ascii wide
        $shell = /\b(CreateObject|ActiveXObject)\s*\(\s*["'](WScript\.Shell|Shell\.Application)["']\s*\)/ nocase ascii wide
        $run = /\.\s*(Run|Exec|ShellExecute)\b/ nocase ascii wide
        $place = /(%TEMP%|%APPDATA%|%PUBLIC%|%LOCALAPPDATA%|%PROGRAMDATA%|GetSpecialFolder\s*\(\s*2|C:\\{1,2}(Users\\{1,2}Public|ProgramData|Windows\\{1,2}Temp)|\bEnvironment\s*\(\s*["'](Process|User)|SpecialFolders\s*\(\s*["'](AppData|Startup))/ nocase ascii wide
    condition:
        filesize < 4MB and all of them
}

rule Holdfast_Dropper_PowerShell_HiddenDownload
{
    meta:
        description = "PowerShell, started out of sight or against a bare address, that runs what it fetches"
        source = "MITRE ATT&CK T1059.001, T1105, T1564.003"
        severity = "infected"
    strings:
        $run = /\b(iex|Invoke-Expression)\b\s*\(?\s*(\$?\(?\s*&?\s*\(?\s*)(New-Object\s+(-TypeName\s+)?["']?(System\.)?Net\.WebClient["']?\s*\)?\s*\.\s*Download(String|Data)|\[?(System\.)?Net\.WebClient\]?::new\(\)\s*\.\s*Download|iwr\b|irm\b|curl\b|wget\b|Invoke-WebRequest\b|Invoke-RestMethod\b)/ nocase ascii wide
        $piped = /(\.\s*Download(String|Data)\s*\([^|\n]{4,200}\)|\b(iwr|irm|Invoke-WebRequest|Invoke-RestMethod)\b[^|\n]{4,200})\s*\|\s*(iex|Invoke-Expression)\b/ nocase ascii wide
        $hidden = /\bpowershell(\.exe)?["']?\s+[^\n]{0,160}-w(i|in|ind|indo|indow|indows|indowst|indowsty|indowstyl|indowstyle)?\s+["']?(h|hid|hidd|hidde|hidden|1)\b/ nocase ascii wide
        $address = /["'(\s]http:\/\/([0-9]{1,3}\.){3}[0-9]{1,3}[:\/]/ nocase ascii wide
        $near = /http:\/\/(127\.|10\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.)/ nocase ascii wide
    condition:
        filesize < 1MB and ($run or $piped) and ($hidden or ($address and not $near))
}

rule Holdfast_Dropper_PowerShell_HiddenEncoded
{
    meta:
        description = "PowerShell started out of sight with its command encoded"
        source = "MITRE ATT&CK T1059.001, T1027.010, T1564.003"
        severity = "suspicious"
    strings:
        $hidden = /\b(powershell|pwsh)(\.exe)?["']?\s+[^\n]{0,120}-w(i|in|ind|indo|indow|indows|indowst|indowsty|indowstyl|indowstyle)?\s+["']?(h|hid|hidd|hidde|hidden|1)\b[^\n]{0,80}\s-e(n|nc|nco|ncod|ncode|ncoded|ncodedc|ncodedco|ncodedcommand|c)?\s+["']?[A-Za-z0-9+\/]{60}/ nocase ascii wide
        $turned = /\b(powershell|pwsh)(\.exe)?["']?\s+[^\n]{0,120}\s-e(n|nc|nco|ncod|ncode|ncoded|ncodedc|ncodedco|ncodedcommand|c)?\s+["']?[A-Za-z0-9+\/]{60,8000}={0,2}["']?\s+[^\n]{0,60}-w(i|in|ind|indo|indow|indows|indowst|indowsty|indowstyl|indowstyle)?\s+["']?(h|hid|hidd|hidde|hidden|1)\b/ nocase ascii wide
    condition:
        filesize < 8MB and any of them
}

rule Holdfast_Dropper_PowerShell_MemoryLoad
{
    meta:
        description = "PowerShell that loads a program out of an encoded text, or puts machine code into memory and starts it"
        source = "MITRE ATT&CK T1620, T1055, T1059.001"
        severity = "infected"
    strings:
        $load = /\bAssembly\]?\s*["']?\s*\]?\s*::\s*["']?Load["']?\s*\(\s*(\[(System\.)?Convert\]\s*::\s*FromBase64String|\$\w{1,30}|\(?\s*New-Object)/ nocase ascii wide
        $decode = /\bConvert\]\s*::\s*["']?FromBase64String["']?\s*\(/ nocase ascii wide
        $entry = /\.\s*(EntryPoint|GetMethod|GetType)\b[\s\S]{0,160}\.\s*Invoke\s*\(/ nocase ascii wide
        $unpack = /\b(GzipStream|DeflateStream)\b/ nocase ascii wide
        $delegate = "GetDelegateForFunctionPointer" nocase ascii wide
        $allocate = /\bVirtualAlloc(Ex)?\b/ nocase ascii wide
        $thread = /\b(CreateThread|CreateRemoteThread|QueueUserAPC|EnumSystemLocales\w?|CallWindowProc\w?)\b|\.\s*Invoke\s*\(/ nocase ascii wide
        $copy = /\bMarshal\]\s*::\s*["']?Copy\b|WriteByte|WriteProcessMemory|memset/ nocase ascii wide
    condition:
        filesize < 16MB and $decode and
        (($load and $entry) or ($load and $unpack) or ($allocate and $copy and ($delegate or $thread)))
}

rule Holdfast_Dropper_PowerShell_AmsiSwitchedOff
{
    meta:
        description = "PowerShell that switches off the interface through which antivirus sees scripts"
        source = "MITRE ATT&CK T1562.001; Microsoft, Antimalware Scan Interface"
        severity = "infected"
    strings:
        $class = /Am(["']\s*\+\s*["'])?s(["']\s*\+\s*["'])?i(["']\s*\+\s*["'])?U(["']\s*\+\s*["'])?t(["']\s*\+\s*["'])?i(["']\s*\+\s*["'])?ls/ nocase ascii wide
        $field = /am(["']\s*\+\s*["'])?s(["']\s*\+\s*["'])?i(["']\s*\+\s*["'])?(Init(["']\s*\+\s*["'])?Failed|Con(["']\s*\+\s*["'])?text|Ses(["']\s*\+\s*["'])?sion)/ nocase ascii wide
        $set = /\.\s*["']?(SetValue|GetField)["']?\s*\(/ nocase ascii wide
        $patch = /Ams(["']\s*\+\s*["'])?iScan(["']\s*\+\s*["'])?Buffer/ nocase ascii wide
        $protect = /\bVirtualProtect\b/ nocase ascii wide
        $bytes = /\[Byte\[\]\]|Marshal\]\s*::\s*(Copy|WriteByte)/ nocase ascii wide
        $access = /\[Ref\]\s*\.\s*Assembly|GetType\s*\(|Add-Type\b/ nocase ascii wide
    condition:
        filesize < 1MB and $access and (($class and $field and $set) or ($patch and $protect and $bytes))
}

rule Holdfast_Dropper_Desktop_Entry
{
    meta:
        description = "A desktop starter that fetches or decodes something and runs it"
        source = "MITRE ATT&CK T1204.002, T1547.013; Google Threat Intelligence on hunting for malicious .desktop files (2025)"
        severity = "infected"
    strings:
        $entry = "[Desktop Entry]"
        $exec = /\nExec\s*=[^\n]{0,40}\b(ba|da|z)?sh["']?\s+-\w*c\b[^\n]{0,2000}\b(curl|wget)\b[^\n]{0,2000}(\bchmod\b|\|\s*(ba|da)?sh\b|\|\s*(base64|xxd)\b|\/(tmp|dev\/shm|var\/tmp)\/|\|\s*python)/
        $decoded = /\nExec\s*=[^\n]{0,40}\b(ba|da|z)?sh["']?\s+-\w*c\b[^\n]{0,2000}\b(base64\s+(-d|--decode)|xxd\s+-r)\b[^\n]{0,2000}(\bchmod\b|\|\s*(ba|da)?sh\b|\/(tmp|dev\/shm|var\/tmp)\/|\beval\b|\|\s*python)/
        $python = /\nExec\s*=[^\n]{0,40}\bpython[0-9.]{0,4}["']?\s+-c\b[^\n]{0,600}\b(exec|system|Popen)\b[^\n]{0,200}\b(urlopen|b64decode|requests\.get)\b/
    condition:
        filesize < 4MB and $entry in (0..4096) and any of ($exec, $decoded, $python)
}
