// SPDX-License-Identifier: Apache-2.0
// What is sent to people and opened by them: documents, pages, shortcuts, models. [MITRE ATT&CK T1204, T1566.001]

rule Holdfast_Document_VBA_AutoRunLoader
{
    meta:
        description = "Source of a macro that runs by itself when the document opens and fetches or starts a program"
        source = "MITRE ATT&CK T1059.005, T1204.002; Microsoft, Macros from the internet are blocked by default in Office"
        severity = "infected"
    strings:
        $auto = /\b(Sub|Function)[ \t]+(Auto_?(Open|Exec|Close|New)|Document_(Open|Close|New|BeforeClose)|Workbook_(Open|Activate|BeforeClose)|Presentation_Open|\w{1,20}_(Painted|Layout|OnDisconnecting))[ \t]*\(/ nocase
        $object = /\b(CreateObject|GetObject)[ \t]*\([ \t]*["'](WScript\.Shell|Shell\.Application|winmgmts:|MSXML2\.(Server)?XMLHTTP|Microsoft\.XMLHTTP|WinHttp\.WinHttpRequest|Scripting\.FileSystemObject|ADODB\.Stream|new:)/ nocase
        $api = /\bDeclare[ \t]+(PtrSafe[ \t]+)?(Function|Sub)[ \t]+\w{1,40}[ \t]+Lib[ \t]+"(urlmon|kernel32|shell32|wininet|ntdll)(\.dll)?"/ nocase
        $start = /(\.\s*(Run|Exec|ShellExecute|Create)\b[ \t]*\(?[ \t]*["'\w(]|\bShell[ \t]*\(?[ \t]*["'\w(]|\bWinExec\b|\bCreateThread\b|\bShellExecuteA?\b)/ nocase
        $tool = /\b(powershell|cmd(\.exe)?[ \t]+\/[ck]|mshta|rundll32|regsvr32|certutil|bitsadmin|wscript|cscript)\b/ nocase
        $fetch = /\b(URLDownloadToFileA?|DownloadFile|DownloadString|\.ResponseBody|\.ResponseText|SaveToFile|VirtualAlloc|RtlMoveMemory)\b/ nocase
        $pieces = /\bStrReverse[ \t]*\(|(\bChrW?\$?[ \t]*\([ \t]*[0-9A-F&H]{2,5}[ \t]*\)[ \t]*[&+][ \t]*){6}/ nocase
    condition:
        filesize < 4MB and $auto and $start and
        (($object and ($tool or $fetch or $pieces)) or ($api and ($fetch or $pieces)) or ($tool and ($fetch or $pieces)))
}

rule Holdfast_Document_DDE_Command
{
    meta:
        description = "A field or cell that makes Office start a command interpreter"
        source = "MITRE ATT&CK T1559.002; OWASP, CSV Injection"
        severity = "infected"
    strings:
        $field = /(instrText[^>]{0,60}>|\{|\binstr\s*=\s*["'])\s*(\\\*\s*)?["']?DDE(AUTO)?["']?(\s|<[^>]{1,200}>){1,12}["']?[^<>\n]{0,80}\b(cmd|powershell|mshta|wscript|cscript|rundll32|regsvr32|certutil)(\.exe)?\b/ nocase
        $cell = /(^|[\n,;\t>"'])[ \t"']{0,3}[=+\-@][\w+\-()"]{0,12}(cmd|powershell|mshta|rundll32|regsvr32|msexcel|certutil)\|\s{0,2}'[^'\n]{2,400}'?!/ nocase
        $link = /ddeService\s*=\s*["'](cmd|powershell|mshta|rundll32|regsvr32)["']/ nocase
    condition:
        filesize < 16MB and any of them
}

rule Holdfast_Document_OOXML_RemoteObject
{
    meta:
        description = "A part of an Office document that makes it load a page handler, a template or an object from a bare address"
        source = "MITRE ATT&CK T1221; Microsoft, Guidance for CVE-2022-30190 and CVE-2021-40444"
        severity = "suspicious"
    strings:
        $relations = /<Relationships\b/ nocase
        $handler = /Target\s*=\s*["'](mhtml:|ms-msdt:|search-ms:|x-usc:|its:|ms-officecmd:)[^"'\n]{4,400}/ nocase
        $template = /attachedTemplate["'][^>]{0,40}Target\s*=\s*["'](http:\/\/|https?:\/\/([0-9]{1,3}\.){3}[0-9]{1,3}|\\\\([0-9]{1,3}\.){3}[0-9]{1,3}|file:\/\/\/?\\\\([0-9]{1,3}\.){3}[0-9])[^"'\n]{2,400}/ nocase
        $object = /(oleObject|frame|subDocument|externalLinkPath)["'][^>]{0,40}Target\s*=\s*["'](https?:\/\/([0-9]{1,3}\.){3}[0-9]{1,3}|http:\/\/[^"'\n]{4,200}\.(html?|hta|rtf|php|js|sct)\b|https?:\/\/[^"'\n]{4,200}\.(html?|hta|sct)!)/ nocase
        $turned = /Target\s*=\s*["'](http:\/\/|https?:\/\/([0-9]{1,3}\.){3}[0-9]{1,3})[^"'\n]{2,400}["'][^>]{0,200}(attachedTemplate|\/oleObject|\/frame)["']/ nocase
        $external = /TargetMode\s*=\s*["']External["']/ nocase
    condition:
        filesize < 1MB and $relations and $external and any of ($handler, $template, $object, $turned)
}

rule Holdfast_LNK_Windows_ScriptArguments
{
    meta:
        description = "A Windows shortcut whose arguments fetch, decode or hide a script"
        source = "MITRE ATT&CK T1204.002, T1059; Microsoft, [MS-SHLLINK] Shell Link Binary File Format"
        severity = "infected"
    strings:
        $tool = /\b(powershell|pwsh|cmd|mshta|wscript|cscript|rundll32|regsvr32|conhost|forfiles|msiexec|curl)\b/ nocase wide ascii
        $fetch = /(https?:\/\/[^\s"']{0,200}|\b(DownloadString|DownloadFile|DownloadData|Invoke-WebRequest|iwr|irm|Invoke-RestMethod|curl(\.exe)?\s+-|certutil\b[^\n]{0,40}-urlcache|bitsadmin\b[^\n]{0,20}\/transfer|Start-BitsTransfer))/ nocase wide
        $run = /(\biex\b|Invoke-Expression|\bmshta\b|\s-w(indowstyle|in)?\s+["']?(h|1\b)|\s-e(nc|ncodedcommand|c)?\s+[A-Za-z0-9+\/]{40}|FromBase64String|\bstart\s+\/(b|min)\b|\/c\s+start|regsvr32\b|rundll32\b|&&?\s*(start|cmd|wscript|cscript|%))/ nocase wide
        $encoded = /\s-e(nc|nco|ncod|ncode|ncoded|ncodedcommand|c)?\s+["']?[A-Za-z0-9+\/]{60}/ nocase wide
        $carve = /(\bfindstr\b[^\n]{0,80}\.lnk|\.lnk["']?\)?[^\n]{0,120}(ReadAllBytes|-Encoding\s+Byte|Seek\()|ReadAllBytes[^\n]{0,60}\.lnk|Get-Content\b[^\n]{0,60}\.lnk)/ nocase wide
    condition:
        filesize < 64MB and uint32(0) == 0x4c and uint32(4) == 0x00021401 and $tool and
        (($fetch and $run) or $encoded or $carve)
}

rule Holdfast_HTML_Smuggling
{
    meta:
        description = "A page that carries an archive or a program as encoded text and makes the browser save it"
        source = "MITRE ATT&CK T1027.006; Microsoft, HTML smuggling surges (2021)"
        severity = "infected"
    strings:
        $page = /<(script|html|body|svg)\b/ nocase
        $blob = /\bnew\s+(window\s*\.\s*)?(Blob|File)\s*\(/
        $blob_hidden = /\bwindow\s*\[\s*["']B(["']\s*\+\s*["'])?l/
        $decode = /\b(atob|Uint8Array|fromCharCode|charCodeAt)\b/
        $link = /\b(createObjectURL|msSaveOrOpenBlob|msSaveBlob)\b/
        $save = /(\.\s*download\s*=|\bsetAttribute\s*\(\s*["']download["']|\bmsSave(OrOpen)?Blob\b|\[\s*["']download["']\s*\]\s*=)/
        $click = /(\.\s*click\s*\(|dispatchEvent\s*\(|\bmsSave(OrOpen)?Blob\b|location\s*(\.\s*href)?\s*=)/
        $zip = /["'`]UEsDB[AB][A-Za-z0-9+\/=\\\r\n"' ]{200}/
        $mz = /["'`](TV(qQ|pQ|pB|oA|rQ|ro)|TVq[A-Za-z0-9])[A-Za-z0-9+\/=\\\r\n"' ]{200}/
        $rar = /["'`](UmFyIRo|N3q8rycc|TVNDRg|Q0QwMDEB|TAAAAAEUAgA|0M8R4KGxGuE)[A-Za-z0-9+\/=\\\r\n"' ]{200}/
        $bytes = /(\[|Uint8Array\s*(\.\s*(of|from))?\s*\(\s*\[?)\s*(77\s*,\s*90\s*,|80\s*,\s*75\s*,\s*3\s*,\s*4|0x4d\s*,\s*0x5a\s*,|0x50\s*,\s*0x4b\s*,\s*0x0?3)(\s*(0x)?[0-9a-f]{1,3}\s*,){60}/ nocase
    condition:
        filesize < 64MB and $page and ($blob or $blob_hidden) and $decode and $link and $save and $click and
        any of ($zip, $mz, $rar, $bytes)
}

rule Holdfast_HTML_EncodedPage
{
    meta:
        description = "A page that is nothing but a long encoded text which writes another page over itself"
        source = "MITRE ATT&CK T1027.010, T1566.001; Microsoft, Trend-spotting email techniques (2021)"
        severity = "suspicious"
    strings:
        $percent = /\bdocument\s*(\.\s*write(ln)?|\[\s*["']write(ln)?["']\s*\])\s*\(\s*((window\s*\.\s*)?(unescape|decodeURIComponent|decodeURI)\s*\(\s*){1,2}["'`](%[0-9a-f]{2}){40}/ nocase
        $base64 = /\bdocument\s*(\.\s*write(ln)?|\[\s*["']write(ln)?["']\s*\])\s*\(\s*((window\s*\.\s*)?(unescape|decodeURIComponent|escape|atob)\s*\(\s*){1,4}["'`](PGh0bWw|PCFET0NUWVBF|PCFkb2N0eXBl|PHNjcmlwd|PGJvZHk|PGhlYWQ|PEhUTUw|CjxodG1s|PG1ldGE|PGRpdi)[A-Za-z0-9+\/=]{80}/
        $data = /\b(src|href|data|location(\s*\.\s*href)?)\s*=\s*["']data:text\/html;(charset=[\w\-]{3,10};)?base64,(PGh0bWw|PCFET0NUWVBF|PCFkb2N0eXBl|PHNjcmlwd|PGJvZHk|PGhlYWQ|PEhUTUw)[A-Za-z0-9+\/=]{200}/
        $codes = /\bdocument\s*\.\s*write(ln)?\s*\(\s*String\s*\.\s*fromCharCode\s*\(\s*([0-9]{2,3}\s*,\s*){40}/
    condition:
        filesize < 8MB and any of them
}

rule Holdfast_HTML_ApplicationLoader
{
    meta:
        description = "An HTML application that starts a command interpreter or fetches a program"
        source = "MITRE ATT&CK T1218.005"
        severity = "infected"
    strings:
        $application = /<HTA:APPLICATION\b/ nocase ascii wide
        $script = /<script\b[^>]{0,80}(vbscript|jscript|javascript)/ nocase ascii wide
        $quiet = /(\bwindow\s*\.\s*(resizeTo\s*\(\s*0|moveTo\s*\(\s*-)|\bWINDOWSTATE\s*=\s*["']?minimize|SHOWINTASKBAR\s*=\s*["']?no|\bself\s*\.\s*close\b|\bwindow\s*\.\s*close\b|\bClose\s*\(\s*\))/ nocase ascii wide
        $object = /\b(CreateObject|ActiveXObject|GetObject)\s*\(\s*["'](WScript\.Shell|Shell\.Application|MSXML2\.(Server)?XMLHTTP|Microsoft\.XMLHTTP|winmgmts:)/ nocase ascii wide
        $tool = /\b(powershell|cmd(\.exe)?\s+\/[ck]|mshta|rundll32|regsvr32|certutil|bitsadmin)\b/ nocase ascii wide
        $fetch = /\b(DownloadString|DownloadFile|ResponseBody|SaveToFile|https?:\/\/([0-9]{1,3}\.){3}[0-9]{1,3}|-e(nc|ncodedcommand)\s+[A-Za-z0-9+\/]{40})/ nocase ascii wide
        $start = /\.\s*(Run|Exec|ShellExecute|Create)\b/ nocase ascii wide
    condition:
        filesize < 4MB and $object and $start and $script and
        (($application and ($fetch or ($tool and $quiet))) or ($quiet and $tool and $fetch))
}

rule Holdfast_Pickle_Python_SystemCall
{
    meta:
        description = "Serialised Python data that calls a function which runs commands or code when it is loaded"
        source = "MITRE ATT&CK T1059.006; Python documentation, pickle, warning and pickletools"
        severity = "infected"
    strings:
        $text = /c(posix|nt|os|subprocess|builtins|__builtin__|commands|pty|runpy|webbrowser)\n(system|popen|spawn[lvpe]{0,3}|exec[lvpe]{0,3}|eval|Popen|call|run|check_output|check_call|getoutput|getstatusoutput|__import__|_run_code|run_path)\n[\s\S]{0,4000}R/
        $binary = /[\x8c](\x05posix|\x02nt|\x02os|\x0asubprocess|\x08builtins|\x0b__builtin__|\x03pty|\x05runpy)\x94?(h.)?\x8c(\x06system|\x05popen|\x05spawn|\x04exec|\x04eval|\x05Popen|\x04call|\x03run|\x0ccheck_output|\x0acheck_call|\x09getoutput|\x0fgetstatusoutput|\x09_run_code|\x08run_path)\x94?\x93[\s\S]{0,4000}R/
        $instance = /\(([SV][^\n]{1,2000}\n|[X\x8c][\s\S]{1,500}){1,3}i(posix|nt|os|subprocess|builtins|__builtin__)\n(system|popen|exec|eval|Popen|call|run|check_output)\n/
    condition:
        filesize < 256MB and any of them
}
