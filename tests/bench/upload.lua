-- Backups of many devices in turn, in chunks and without a length. Arguments: a folder with a file for each device, how
-- many there are, and "changed" or "same".
local bodies, changed, number, thread = {}, true, 0, 0
local threads = 0

function setup(each)
  each:set("thread", threads)
  threads = threads + 1
end

function init(arguments)
  changed = arguments[3] == "changed"
  for device = 0, tonumber(arguments[2]) - 1 do
    local file = io.open(arguments[1] .. "/" .. device, "rb")
    bodies[device] = file:read("*a")
    file:close()
  end
  number = thread * 7919
  math.randomseed(os.time() + thread)
  run = math.random(1, 1000000000)
end

function request()
  local device = number % (#bodies + 1)
  number = number + 1
  local last = changed and string.format("config change CMD0 /name Desk-%d-%d-%d\r\n", run, thread, number) or ""
  local body = bodies[device] .. last
  return string.format("PUT /update.php?mode=backup&hwid=IP222&sn=00-90-33-00-%02x-%02x HTTP/1.1\r\nHost: x\r\n" ..
    "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", math.floor(device / 256), device % 256, #body, body)
end
