// SPDX-License-Identifier: Apache-2.0
// Web shells: server pages that run what the request brings. [MITRE ATT&CK T1505.003]

rule Holdfast_Webshell_PHP_RequestEval
{
    meta:
        description = "PHP that evaluates a value of the request as code"
        source = "MITRE ATT&CK T1505.003; CISA/NSA, Detect and Prevent Web Shell Malware (U/OO/134094-20)"
        severity = "infected"
    strings:
        $direct = /\b(eval|assert)\s*\(\s*@?\s*(["'][^"'\n]{0,40}["']\s*\.\s*)?(@?(base64_decode|stripslashes|stripcslashes|urldecode|rawurldecode|trim|str_rot13|strrev|hex2bin|gzinflate|gzuncompress|gzdecode|openssl_decrypt|implode|join|pack|end|strtr|str_replace)\s*\(\s*([^(),\n]{1,40},\s*)?){0,4}@?\$\{?_(GET|POST|REQUEST|COOKIE)\s*[\[{]/ nocase
        $input = /\b(eval|assert)\s*\(\s*(["'][^"'\n]{0,40}["']\s*\.\s*)?(@?(base64_decode|stripslashes|stripcslashes|urldecode|rawurldecode|trim|str_rot13|strrev|hex2bin|gzinflate|gzuncompress|gzdecode|openssl_decrypt|implode|join|pack|end|strtr|str_replace)\s*\(\s*([^(),\n]{1,40},\s*)?){0,4}@?file_get_contents\s*\(\s*["']php:\/\/input/ nocase
    condition:
        filesize < 1MB and ($direct or $input)
}

rule Holdfast_Webshell_PHP_RequestCommand
{
    meta:
        description = "PHP that hands a value of the request to the system's shell as it came"
        source = "MITRE ATT&CK T1505.003, T1059.004"
        severity = "infected"
    strings:
        $call = /\b(system|passthru|shell_exec|exec|popen|proc_open|pcntl_exec)\s*\(\s*@?((base64_decode|stripslashes|urldecode|rawurldecode|trim|str_rot13|strrev|hex2bin|gzinflate|gzuncompress|implode\s*\(\s*["'] ?["']\s*,)\s*\(?\s*@?){0,4}\$_(GET|POST|REQUEST|COOKIE)\s*[\[{]/ nocase
        $shell = /\b(system|passthru|shell_exec|exec|popen|proc_open)\s*\(\s*["'](\/bin\/)?((ba|da)?sh -c|cmd(\.exe)? \/c) ?["']\s*\.\s*\$_(GET|POST|REQUEST|COOKIE)\s*[\[{]/ nocase
        $ticks = /[=(]\s*`\s*\{?\$_(GET|POST|REQUEST|COOKIE)\s*\[/ nocase
        $echo_ticks = /(echo|print|return)\s+`\s*\{?\$_(GET|POST|REQUEST|COOKIE)\s*\[/ nocase
    condition:
        filesize < 1MB and ($call or $shell or $ticks or $echo_ticks)
}

rule Holdfast_Webshell_PHP_RequestFunction
{
    meta:
        description = "PHP in which the request names the function that is called with the request's values"
        source = "MITRE ATT&CK T1505.003, T1027"
        severity = "infected"
    strings:
        $called = /\$\{?["']?_(GET|POST|REQUEST|COOKIE|SERVER)["']?\}?\s*[\[{][^\]}\n]{1,40}[\]}]\s*\(\s*@?(\w{3,30}\s*\(\s*){0,3}\$\{?["']?_(GET|POST|REQUEST|COOKIE|SERVER)\b/ nocase
        $first = /\b(array_map|call_user_func|call_user_func_array|register_shutdown_function|ob_start|forward_static_call)\s*\(\s*@?(\w{3,30}\s*\(\s*){0,3}\$_(GET|POST|REQUEST|COOKIE)\s*[\[{]/ nocase
        $second = /\b(array_filter|array_walk|array_reduce|usort|uasort|uksort|array_walk_recursive|preg_replace_callback|create_function)\s*\([^;\n]{1,60},\s*@?(\w{3,30}\s*\(\s*){0,3}\$_(GET|POST|REQUEST|COOKIE)\s*[\[{][^;\n]{1,40}[\]}]\s*\)*\s*;/ nocase
    condition:
        filesize < 1MB and any of ($called, $first, $second)
}

rule Holdfast_Webshell_PHP_SmallFlow
{
    meta:
        description = "A small PHP page that takes a variable from the request and runs a variable"
        source = "MITRE ATT&CK T1505.003"
        severity = "suspicious"
    strings:
        $taken = /\$\w{1,30}\s*=\s*@?(\w{3,30}\s*\(\s*){0,3}(\$_(GET|POST|REQUEST|COOKIE)\s*[\[{]|isset\s*\(\s*\$_(GET|POST|REQUEST|COOKIE)\s*\[[^\]]{1,30}\]\s*\)\s*\?)/ nocase
        $run = /[^\w>:](eval|assert|system|passthru|shell_exec|popen|proc_open)\s*\(\s*(@?(base64_decode|gzinflate|str_rot13|stripslashes|urldecode|strrev|hex2bin)\s*\(\s*){0,3}\$\w{1,30}\s*(\)|,\s*["'][rw]|,\s*\$|\.\s*["']\s*2>&1)/ nocase
        $function = /\bfunction\s+(&\s*)?\w{3,40}\s*\([^)]{0,200}\)\s*\{/ nocase
        $check = /\b(escapeshell(arg|cmd)|preg_match|in_array|intval|is_numeric|ctype_\w+|current_user_can|defined)\s*\(/ nocase
    condition:
        filesize < 4KB and $taken and $run and #function < 3 and not $check
}

rule Holdfast_Webshell_PHP_EncodedBody
{
    meta:
        description = "PHP whose code is a long encoded text that is unpacked and evaluated"
        source = "MITRE ATT&CK T1027.010, T1140"
        severity = "suspicious"
    strings:
        $eval = /\b(eval|assert)\s*\(\s*(["']\s*\??>?\s*["']\s*\.\s*)?(@?(base64_decode|gzinflate|gzuncompress|gzdecode|str_rot13|strrev|hex2bin|rawurldecode|urldecode|convert_uudecode|pack)\s*\(\s*(["']H\*["']\s*,\s*)?){1,8}["'][A-Za-z0-9+\/=%]{80}/ nocase
        $function = /\b(create_function\s*\(\s*["']{2}|preg_replace\s*\(\s*["'](.)[^"'\n]{0,20}[\/#~|]e["'])\s*,\s*(["']\s*eval\s*\(\s*)?(@?(base64_decode|gzinflate|gzuncompress|str_rot13|strrev|hex2bin)\s*\(\s*){1,6}["'][A-Za-z0-9+\/=%]{80}/ nocase
    condition:
        filesize < 5MB and ($eval or $function)
}

rule Holdfast_Webshell_PHP_EscapedNames
{
    meta:
        description = "PHP that spells the names of dangerous functions or a path to include in escapes, so that nobody reads them"
        source = "MITRE ATT&CK T1027.010; Sucuri on hidden @include statements in infected sites"
        severity = "infected"
    strings:
        $open = "<?php" nocase
        $hex_eval = "\\x65\\x76\\x61\\x6c" nocase
        $hex_base64 = "\\x62\\x61\\x73\\x65\\x36\\x34" nocase
        $hex_assert = "\\x61\\x73\\x73\\x65\\x72\\x74" nocase
        $hex_system = "\\x73\\x79\\x73\\x74\\x65\\x6d" nocase
        $hex_gzinflate = "\\x67\\x7a\\x69\\x6e\\x66\\x6c" nocase
        $octal_eval = "\\145\\166\\141\\154"
        $octal_base64 = "\\142\\141\\163\\145\\66\\64"
        $octal_assert = "\\141\\163\\163\\145\\162\\164"
        $octal_system = "\\163\\171\\163\\164\\145\\155"
        $include = /@?(include|require)(_once)?\s*\(?\s*"([\w.\/\-]{0,6}\\(x[0-9a-f]{2}|[0-7]{2,3})){4}/ nocase
        $globals = /\$\{\s*"([A-Z_]{0,4}\\x(47|4c|4f|42|41|53|5f|50|4f|54)){3}/ nocase
    condition:
        filesize < 1MB and $open and ($include or any of ($hex*) or any of ($octal*) or #globals > 2)
}

rule Holdfast_Webshell_PHP_BareUpload
{
    meta:
        description = "A tiny PHP page that stores any uploaded file under the name the sender chose"
        source = "MITRE ATT&CK T1505.003, T1105"
        severity = "suspicious"
    strings:
        $store = /\b(move_uploaded_file|copy)\s*\(\s*\$_FILES\s*\[[^\]]{1,30}\]\s*\[\s*["']?tmp_name/ nocase
        $store_variable = /\b(move_uploaded_file|copy)\s*\(\s*\$\w{1,20}\s*\[\s*["']?tmp_name["']?\s*\]\s*,/ nocase
        $name = /\$_FILES\s*\[[^\]]{1,30}\]\s*\[\s*["']?name["']?\s*\]/ nocase
        $name_variable = /\$\w{1,20}\s*=\s*\$_FILES\s*\[[^\]]{1,30}\]\s*;/ nocase
        $check = /(\b(pathinfo|in_array|preg_match|getimagesize|is_uploaded_file|finfo_file|mime_content_type|session_start|check_admin_referer|uniqid|in_groups)\s*\(|\$_SESSION|\bclass\s+\w+|\bnamespace\s|["'](size|type)["']\s*\])/ nocase
    condition:
        filesize < 3KB and any of ($store*) and any of ($name*) and not $check
}

rule Holdfast_Webshell_PHP_InPicture
{
    meta:
        description = "A file that begins as a picture and holds PHP that runs something of the request"
        source = "MITRE ATT&CK T1036.008, T1505.003"
        severity = "infected"
    strings:
        $run = /\b(eval|assert|system|passthru|shell_exec|exec|popen|include|require|call_user_func)\s*\(?\s*@?(\w{3,30}\s*\(\s*){0,4}\$_(GET|POST|REQUEST|COOKIE|SERVER)/ nocase
        $unpack = /\b(eval|assert)\s*\(\s*(gzinflate|gzuncompress|base64_decode|str_rot13|hex2bin|strrev)\s*\(/ nocase
        $ticks = /`\s*\{?\$_(GET|POST|REQUEST|COOKIE)/ nocase
    condition:
        (uint32be(0) == 0x47494638 or uint16be(0) == 0xffd8 or uint32be(0) == 0x89504e47 or uint16be(0) == 0x424d) and
        any of ($run, $unpack, $ticks)
}

rule Holdfast_Webshell_PHP_Fetch
{
    meta:
        description = "PHP that runs what it fetches from another server"
        source = "MITRE ATT&CK T1105, T1505.003"
        severity = "infected"
    strings:
        $eval = /\b(eval|assert)\s*\(\s*(["']\s*\?>\s*["']\s*\.\s*)?(@?(base64_decode|gzinflate|gzuncompress|str_rot13|strrev|trim)\s*\(\s*){0,4}@?(file_get_contents|curl_exec|fread|stream_get_contents|implode\s*\([^,;]{1,10},\s*file)\s*\(\s*(["']https?:\/\/|\$\w{1,30}\s*\))/ nocase
        $write = /\b(file_put_contents|fwrite|fputs)\s*\(\s*[^;\n]{1,80},\s*@?file_get_contents\s*\(\s*["']http:\/\/([0-9]{1,3}\.){3}[0-9]{1,3}[:\/][^;]{1,200}(\.php|\.txt|\.jpg)["']/ nocase
    condition:
        filesize < 1MB and ($eval or $write)
}

rule Holdfast_Webshell_Apache_HandlerTrick
{
    meta:
        description = "Server settings in a folder that make pictures or text run as PHP, or run a hidden file before every page"
        source = "MITRE ATT&CK T1505.003; OWASP Unrestricted File Upload"
        severity = "suspicious"
    strings:
        $type = /(^|\n)[ \t]*(AddType|AddHandler)[ \t]+["']?(application\/x-httpd-php\d?|php\d?-script|proxy:unix:[^\s]{1,80})["']?[^\n]{0,60}[ \t]\.?(jpe?g|png|gif|ico|bmp|txt|css|svg|pdf|log|webp)\b/ nocase
        $set = /<FilesMatch\s+["'][^"'\n]{0,40}(jpe?g|png|gif|ico|bmp|txt|css|svg|pdf|webp)[^>]{0,40}>\s*(SetHandler|ForceType)\s+["']?application\/x-httpd-php/ nocase
        $prepend = /(^|\n)[ \t]*(php_value[ \t]+)?auto_(pre|ap)pend_file[ \t]*=?[ \t]*["']?(\/(tmp|var\/tmp|dev\/shm)\/|php:\/\/input|data:|https?:\/\/|[^\s"']*(\/|^)\.[\w\-]{1,30}|[^\s"']{1,100}\.(jpe?g|png|gif|ico|bmp|txt|css)\b)/ nocase
    condition:
        filesize < 64KB and any of them
}

rule Holdfast_Webshell_JSP_RequestExec
{
    meta:
        description = "JSP that runs a command of the request and shows what it prints"
        source = "MITRE ATT&CK T1505.003, T1059"
        severity = "infected"
    strings:
        $page = /(<%[^%]|<jsp:|<script\s[^>]{0,60}runat\s*=)/ nocase
        $direct = /\bgetRuntime\s*\(\s*\)\s*\.\s*exec\s*\([^;]{0,160}\brequest\s*\.\s*get(Parameter|Header|QueryString)\s*\(/
        $builder = /\bnew\s+ProcessBuilder\s*\([^;]{0,160}\brequest\s*\.\s*get(Parameter|Header|QueryString)\s*\(/
        $exec = /\bgetRuntime\s*\(\s*\)\s*\.\s*exec\s*\(|\bnew\s+(java\.lang\.)?ProcessBuilder\s*\(/
        $input = /\brequest\s*\.\s*get(Parameter|Header|QueryString|Reader|InputStream)\s*\(/
        $output = /\.\s*getInputStream\s*\(\s*\)/
        $shell = /["'](cmd(\.exe)?|\/bin\/(ba)?sh|\/c|-c)["']/
    condition:
        filesize < 256KB and $page and
        ($direct or $builder or ($exec and $input and $output and $shell))
}

rule Holdfast_Webshell_JSP_ClassFromRequest
{
    meta:
        description = "JSP that makes a class of bytes that the request brings and creates it"
        source = "MITRE ATT&CK T1505.003, T1620; public analyses of the Behinder and Godzilla web shells"
        severity = "infected"
    strings:
        $page = /(<%[^%]|<jsp:|<script\s[^>]{0,60}runat\s*=)/ nocase
        $define = /\bdefineClass\s*\(/
        $define_reflect = /getDeclaredMethod\s*\(\s*"defineClass"/
        $loader = /\bextends\s+ClassLoader\b|\bURLClassLoader\b|ClassLoader\s*\.\s*class/
        $input = /\brequest\s*\.\s*get(Reader|Parameter|InputStream|Header)\s*\(/
        $decode = /\b(BASE64Decoder|Base64\s*\.\s*getDecoder|decodeBuffer|Cipher\s*\.\s*getInstance|parseBase64Binary|decodeBase64)\b/
        $make = /\.\s*newInstance\s*\(/
    condition:
        filesize < 256KB and $page and any of ($define*) and $input and $decode and ($make or $loader)
}

rule Holdfast_Webshell_ASP_RequestEval
{
    meta:
        description = "ASP or ASP.NET page that evaluates a value of the request as code"
        source = "MITRE ATT&CK T1505.003; FireEye, Breaking Down the China Chopper Web Shell"
        severity = "infected"
    strings:
        $page = /(<%[^%]|<jsp:|<script\s[^>]{0,60}runat\s*=)/ nocase
        $eval = /(^|[^.\w])(eval|execute|executeglobal)[ \t]*\(?[ \t]*(\w{2,30}[ \t]*\([ \t]*)?request[ \t]*(\.[ \t]*(item|form|querystring|cookies|params|headers|servervariables)[ \t]*)?[\(\[]/ nocase
        $unsafe = /\beval\s*\([^;\n]{1,120}request\s*(\.\s*\w{4,15})?\s*[\[\(][^;\n]{1,60},\s*["']unsafe["']/ nocase
    condition:
        filesize < 256KB and $page and ($eval or $unsafe)
}

rule Holdfast_Webshell_ASPX_CommandPage
{
    meta:
        description = "ASP.NET page that runs commands from the request or a form and shows what they print"
        source = "MITRE ATT&CK T1505.003, T1059.003"
        severity = "infected"
    strings:
        $page = /<%@\s*(Page|WebHandler|WebService)\s/ nocase
        $start = /\b(new\s+(System\.Diagnostics\.)?Process(StartInfo)?\s*\(|Process\s*\.\s*Start\s*\(|As\s+New\s+(System\.Diagnostics\.)?Process(StartInfo)?\b)/ nocase
        $shell = /["']?\b(cmd(\.exe)?|powershell(\.exe)?)["']|["']\s*\/c\s*["']/ nocase
        $output = /\bStandardOutput\s*(\.|\)|;)/ nocase
        $input = /\bRequest\s*(\.\s*(QueryString|Form|Params|Headers|Item|Cookies)\s*)?[\[\(]/ nocase
        $box = /<asp:TextBox\b/ nocase
    condition:
        filesize < 256KB and $page and $start and $shell and $output and ($input or $box)
}
