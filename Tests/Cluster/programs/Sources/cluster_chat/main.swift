import RocketBase
import RocketReactor
import RocketSystem
import RocketTCP

// Members of a chat on several servers, until its input ends: they say numbered messages at a steady
// pace, and check what they receive. Then waits until everything has arrived or was declared missing.
// Prints a line of JSON four times a second, and the totals at the end. Exits with 1 if anything is
// wrong.
//
//   cluster_chat MEMBERS_PER_SERVER MESSAGES_PER_SECOND SEED ADDRESS…

struct Usage: Error {
    let text = "cluster_chat MEMBERS_PER_SERVER MESSAGES_PER_SECOND SEED ADDRESS ADDRESS…"
}

let arguments = CommandLine.arguments
guard arguments.count >= 6, let members = Int(arguments[1]), let rate = Int(arguments[2]),
    let seed = UInt64(arguments[3]), members >= 10, members * (arguments.count - 4) <= 10_000
else { throw Usage() }
let addresses = try arguments[4...].map { try NetAddress(parsing: $0) }
try ProcessUsage.setDescriptorLimit(.max)
let thread = try IOThread(name: "members")
let result = Locked<Bool?>(nil)
let ended = AsyncEvent()
let fleet = Locked<LoopBound<ChatFleet>?>(nil)

thread.loop.execute { reactor in
    let output = SharedOutput(1)
    let made = ChatFleet(
        to: addresses, members: members, rate: rate, seed: seed, on: reactor,
        report: { _ = output.write($0, waitingAtMost: .seconds(60)) },
        end: { isRight in
            result.withLock { $0 = isRight }
            ended.notify()
        })
    fleet.withLock { $0 = LoopBound(made, on: reactor) }
}
Task.detached {
    while try !StandardInput.read(atMost: 4096).isEmpty {}
    thread.loop.execute { _ in fleet.withLock { $0 }?.get().finish() }
}
await ended.wait { result.withLock { $0 } != nil }
CurrentProcess.exit(result.withLock { $0 } == true ? 0 : 1)
