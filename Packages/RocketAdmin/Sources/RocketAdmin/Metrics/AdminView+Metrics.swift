import RocketBase
import RocketRPC
import RocketSystem
import RocketTCP

extension AdminView {
    /// The answer to `/metrics`.
    func metrics(_ format: PrometheusText.Format = .prometheus) -> String {
        var text = PrometheusText(format)
        text.write(.buildInfo) { $0.add(1, program.name, program.version) }
        text.write(.up) { samples in
            for state in [RPCServer.State.notStarted, .running, .draining, .stopped] {
                samples.add(server.state == state ? 1 : 0, state.rawValue)
            }
        }
        writeMethods(&text)
        writeServer(&text)
        writeLoops(&text)
        writeChannels(&text)
        writeTraces(&text)
        if log.hasLog {
            text.write(.logLines) { samples in
                samples.add(log.statistics.drained, "written")
                samples.add(log.statistics.dropped, "dropped")
                samples.add(log.statistics.lost, "lost")
            }
        }
        text.write(.processCPU, process.processorTime.seconds)
        text.write(.processMemory, process.residentBytes)
        text.write(.processHeap, process.heapBytes)
        text.write(.processDescriptors, process.openDescriptors)
        text.write(.processDescriptorLimit, process.descriptorLimit)
        text.write(.processStart, Double(server.startedAt.nanoseconds) / 1e9)
        application?.write(&text)
        text.end()
        return text.text
    }

    /// The bounds of the histograms, in nanoseconds, with the text of their label.
    static let bounds: [(nanoseconds: Int64, text: String)] = [
        (100_000, "0.0001"), (250_000, "0.00025"), (500_000, "0.0005"), (1_000_000, "0.001"),
        (2_500_000, "0.0025"), (5_000_000, "0.005"), (10_000_000, "0.01"), (25_000_000, "0.025"),
        (50_000_000, "0.05"), (100_000_000, "0.1"), (250_000_000, "0.25"), (500_000_000, "0.5"),
        (1_000_000_000, "1"), (2_500_000_000, "2.5"), (5_000_000_000, "5"), (10_000_000_000, "10"),
    ]

    /// The newest example of each bucket: one for each bound, and one for what is longer than all.
    static func exemplars(
        _ all: [RPCServerSnapshot.Exemplar], in bounds: [Duration]
    ) -> [RPCServerSnapshot.Exemplar?] {
        var found = [RPCServerSnapshot.Exemplar?](repeating: nil, count: bounds.count + 1)
        for exemplar in all {
            let index = bounds.firstIndex { exemplar.duration <= $0 } ?? bounds.count
            if let other = found[index], other.time > exemplar.time { continue }
            found[index] = exemplar
        }
        return found
    }

    private func writeMethods(_ text: inout PrometheusText) {
        let methods = server.methods.map { (name: MethodLabels($0.name), numbers: $0) }
        text.write(.started) { samples in
            for (name, method) in methods { samples.add(method.started, name.service, name.method) }
        }
        text.write(.handled) { samples in
            for (name, method) in methods {
                // A rate needs the 0 before the first call.
                if method.ended[.success] == nil { samples.add(0, name.service, name.method, "OK") }
                for (code, count) in method.ended.sorted(by: { $0.key.rawValue < $1.key.rawValue })
                {
                    samples.add(count, name.service, name.method, code.label)
                }
            }
        }
        text.write(.refused) { samples in
            for (name, method) in methods { samples.add(method.refused, name.service, name.method) }
        }
        let format = text.format
        text.write(.handling) { samples in
            let bounds = Self.bounds.map { Duration.nanoseconds($0.nanoseconds) }
            for (name, method) in methods {
                let counts = method.latency.cumulativeCounts(upTo: bounds)
                samples.addHistogram(
                    bounds: zip(Self.bounds, counts).map { ($0.text, $1) },
                    count: method.latency.count, sum: method.latency.sum.seconds,
                    exemplars: format == .openMetrics
                        ? Self.exemplars(method.exemplars, in: bounds) : [],
                    name.service, name.method)
            }
        }
        text.write(.inFlight) { samples in
            for (name, method) in methods {
                samples.add(method.inFlight, name.service, name.method)
            }
        }
        text.write(.requestBytes) { samples in
            for (name, method) in methods {
                samples.add(method.requestBytes, name.service, name.method)
            }
        }
        text.write(.responseBytes) { samples in
            for (name, method) in methods {
                samples.add(method.responseBytes, name.service, name.method)
            }
        }
    }

    private func writeServer(_ text: inout PrometheusText) {
        let statistics = server.statistics
        text.write(.refusals) { samples in
            samples.add(statistics.refusedForQueueDelay, "queue_delay")
            samples.add(statistics.refusedAsLate, "late")
            samples.add(statistics.refusedByAdaptiveLimit, "adaptive_limit")
            samples.add(statistics.refusedForRate, "rate")
            for (reason, count) in statistics.refusedByReason.sorted(by: { $0.key < $1.key }) {
                samples.add(count, reason)
            }
        }
        text.write(.timedOut, statistics.timedOutCalls)
        text.write(.cancelled, statistics.cancelledCalls)
        text.write(.brokenStreams, statistics.brokenStreams)
        text.write(.connections, server.connectionCount)
        text.write(.connectionsMoved, server.movedConnections)
        text.write(.unsentBytes, server.connections.reduce(0) { $0 + $1.unsentBytes })
        text.write(.kernelBytes, server.connections.reduce(0) { $0 + $1.kernelBytes })
        text.write(.unreadPeers, server.connections.count(where: \.isUnread))
        text.write(.limit) { samples in
            for limit in server.limits {
                if let most = limit.limit { samples.add(most, limit.name) }
            }
        }
        text.write(.limitCurrent) { samples in
            for limit in server.limits {
                if let current = limit.current { samples.add(current, limit.name) }
            }
        }
        text.write(.limitHighest) { samples in
            for limit in server.limits {
                if let highest = limit.highest { samples.add(highest, limit.name) }
            }
        }
        text.write(.limitRefusals) { samples in
            for limit in server.limits { samples.add(limit.refusals, limit.name) }
        }
        text.write(.overloadedLoops, statistics.overloadedLoops)
    }

    private func writeLoops(_ text: inout PrometheusText) {
        let loops = server.loops
        func write(
            _ family: MetricFamily, _ value: (RPCServerSnapshot.Loop) -> Double
        ) {
            text.write(family) { for loop in loops { $0.add(value(loop), loop.name) } }
        }
        write(.loopBusy) { $0.busy.seconds }
        write(.loopTicks) { Double($0.ticks) }
        write(.loopDelay) { $0.delay.seconds }
        write(.loopLongest) { $0.longestCallback.seconds }
        write(.loopSlow) { Double($0.slowCallbacks) }
        write(.loopStuck) { $0.isStuck ? 1 : 0 }
        write(.loopConnections) { Double($0.connections) }
        write(.loopTasks) { Double($0.tasksWaiting) }
    }

    private func writeChannels(_ text: inout PrometheusText) {
        let channels = distinctChannels
        text.write(.channelInFlight) {
            for (name, channel) in channels { $0.add(channel.statistics.callsInFlight, name) }
        }
        text.write(.channelConnects) {
            for (name, channel) in channels {
                $0.add(channel.statistics.connects, name, "ok")
                $0.add(channel.statistics.connectFailures, name, "failed")
            }
        }
        text.write(.channelLost) {
            for (name, channel) in channels { $0.add(channel.statistics.connectionsLost, name) }
        }
        text.write(.channelRetries) {
            for (name, channel) in channels {
                $0.add(channel.statistics.retries, name, "sent")
                $0.add(channel.statistics.retriesRefused, name, "refused")
            }
        }
        text.write(.channelHedges) {
            for (name, channel) in channels {
                $0.add(channel.statistics.hedges, name, "sent")
                $0.add(channel.statistics.hedgesWon, name, "won")
            }
        }
        text.write(.channelEjections) {
            for (name, channel) in channels { $0.add(channel.statistics.ejections, name) }
        }
        text.write(.endpointReady) { samples in
            for (name, channel) in channels {
                var seen: Set<String> = []
                for endpoint in channel.endpoints {
                    let address = endpoint.addresses.first?.description ?? ""
                    guard seen.insert(address).inserted else { continue }
                    samples.add(
                        endpoint.state == .ready && !endpoint.isEjected ? 1 : 0, name, address)
                }
            }
        }
    }

    /// The channels, with names that differ: a sample must not occur twice.
    private var distinctChannels: [(name: String, channel: RPCChannelSnapshot)] {
        var seen: [String: Int] = [:]
        return channels.map { channel in
            let count = seen[channel.target, default: 0] + 1
            seen[channel.target] = count
            return (count == 1 ? channel.target : "\(channel.target) #\(count)", channel)
        }
    }
}

/// A full name in its two labels: the service with its package, and the method. A value.
struct MethodLabels: Hashable, Sendable {
    let service: String
    let method: String

    /// Splits at the last dot; a name without one is a method of no service.
    init(_ name: String) {
        guard let dot = name.lastIndex(of: ".") else {
            (service, method) = ("", name)
            return
        }
        service = String(name[..<dot])
        method = String(name[name.index(after: dot)...])
    }
}

extension Duration {
    var seconds: Double { Double(wholeNanoseconds) / 1e9 }
}
