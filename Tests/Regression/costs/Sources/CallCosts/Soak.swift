import RocketBase
import RocketRPC
import RocketReactor
import RocketSystem
import SwiftProtobuf

/// Makes many calls, most of which get a reply while some time out, and measures leaks.
struct Soak {
    let channel: RPCChannel
    /// One call in this many is to a method that does not reply within the deadline.
    static let timeoutInterval = 500
    static let tasks = 256

    struct Usage {
        let residentBytes: Int
        let descriptors: Int
    }

    static func usage() throws -> Usage {
        Usage(
            residentBytes: try ProcessUsage.residentBytes(),
            descriptors: try ProcessUsage.openDescriptors())
    }

    /// Returns how many calls had an unexpected outcome.
    ///
    /// - Parameter executor: for the tasks of the callers; nil: Swift's pool.
    func run(calls: Int, on executor: (any TaskExecutor)?) async -> Int {
        await withTaskExecutorPreference(executor) {
            await withTaskGroup { group in
                for task in 0..<Self.tasks {
                    // The first tasks make the calls of the remainder.
                    let share = calls / Self.tasks + (task < calls % Self.tasks ? 1 : 0)
                    group.addTask { await unexpectedOutcomes(of: share) }
                }
                return await group.reduce(0, +)
            }
        }
    }

    private func unexpectedOutcomes(of calls: Int) async -> Int {
        var unexpected = 0
        for number in 1..<(calls + 1) {
            let timesOut = number % Self.timeoutInterval == 0
            do throws(RPCError) {
                let reply = try await channel.call(
                    timesOut ? CostService.never : CostService.echo, Number(Int64(number)),
                    timeout: timesOut ? .milliseconds(5) : .seconds(60))
                if reply.value != Int64(number) { unexpected += 1 }
            } catch {
                if !timesOut || error.code != .callTimeout { unexpected += 1 }
            }
        }
        return unexpected
    }
}
