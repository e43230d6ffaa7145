-- Polls of 1,000 devices in turn; the first argument is what each poll adds to its address.
local more = ""
local number = 0

function init(arguments)
  more = arguments[1] or ""
end

function request()
  number = (number + 1) % 1000
  local serial = string.format("00-90-33-00-%02x-%02x", math.floor(number / 256), number % 256)
  return wrk.format("GET", "/update/update.php?polling=0&phase=update&type=IP222&sn=" .. serial .. "&hwid=IP222-" ..
    string.sub(serial, 10) .. "&ip=10.0.0.1&env=default&PROT=137213&BOOT=137213" .. more)
end
