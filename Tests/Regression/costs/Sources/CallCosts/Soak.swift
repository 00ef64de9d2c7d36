import RocketRPC
import RocketSystem
import SwiftProtobuf

/// Many calls, most answered, some given up; what is left behind is counted.
struct Soak {
    let channel: RPCChannel
    /// One call in so many is for a method that never answers in time.
    static let everyLost = 500
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

    /// Returns how many calls ended otherwise than they should.
    ///
    /// - Parameter executor: where the callers run; nil: on Swift's pool.
    func run(calls: Int, on executor: (any TaskExecutor)?) async -> Int {
        await withTaskExecutorPreference(executor) {
            await withTaskGroup { group in
                for task in 0..<Self.tasks {
                    // What does not divide is made by the first ones.
                    let own = calls / Self.tasks + (task < calls % Self.tasks ? 1 : 0)
                    group.addTask { await wrongOnes(of: own) }
                }
                return await group.reduce(0, +)
            }
        }
    }

    private func wrongOnes(of calls: Int) async -> Int {
        var wrong = 0
        for number in 1..<(calls + 1) {
            let isLost = number % Self.everyLost == 0
            do throws(RPCError) {
                let reply = try await channel.call(
                    isLost ? CostService.never : CostService.echo, Number(Int64(number)),
                    timeout: isLost ? .milliseconds(5) : .seconds(60))
                if reply.value != Int64(number) { wrong += 1 }
            } catch {
                if !isLost || error.code != .callTimeout { wrong += 1 }
            }
        }
        return wrong
    }
}
