extension MetricsRegistry {
    /// Writes all series, sorted by name and labels.
    func write(_ text: inout PrometheusText) {
        text.write(.applicationSeries, seriesCount)
        text.write(.applicationRefused) { samples in
            for reason in MetricRefusal.allCases {
                samples.add(refusals[reason] ?? 0, reason.rawValue)
            }
        }
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            let cells = family.cells.map { (labels: $0.key, cell: $0.value) }.sorted {
                $0.labels.lexicographicallyPrecedes($1.labels) {
                    ($0.name, $0.value) < ($1.name, $1.value)
                }
            }
            text.write(MetricFamily(family.kind, name, "A \(family.kind.rawValue) of the program"))
            { samples in
                for (labels, cell) in cells {
                    let pairs = labels.map { (name: $0.name, value: $0.value) }
                    switch cell {
                    case let cell as CounterCell: samples.add(cell.value, pairs: pairs)
                    case let cell as FractionCounterCell: samples.add(cell.value, pairs: pairs)
                    case let cell as GaugeCell: samples.add(cell.value, pairs: pairs)
                    case let cell as HistogramCell:
                        let (cumulative, count, sum) = cell.values()
                        let bounds = zip(cell.bounds, cumulative).map {
                            (text: PrometheusText.number($0), count: $1)
                        }
                        samples.addHistogram(bounds: bounds, count: count, sum: sum, pairs: pairs)
                    default: break
                    }
                }
            }
        }
    }
}
