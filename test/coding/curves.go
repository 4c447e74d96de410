package main

import (
	"math"

	"github.com/perilune/perilune/ccsds/coding/conv"
	"github.com/perilune/perilune/ccsds/coding/ldpc"
	"github.com/perilune/perilune/ccsds/coding/turbo"
)

// tolerance is how far from a reference a point may lie, in dB.
const tolerance = 0.1

// wanted is how many wrong frames a point needs; bits come wrong in bunches of very
// different sizes, and need more.
const (
	wanted     = 100
	wantedBits = 400
)

// point is an error rate at an Eb/N0 in dB; rate 0 where nothing is published.
type point struct {
	db, rate float64
	slow     bool // more than seconds
}

// curve is a system and what is known of it.
type curve struct {
	name   string
	unit   string // FER, or BER for bits
	source string
	system system
	points []point
	slow   bool
}

func (c curve) enough() int64 {
	if c.unit == "BER" {
		return wantedBits
	}
	return wanted
}

// offset is how many dB the rate measured at point i lies right of the reference: positive
// is worse. The slope is that of the reference towards its steeper neighbour.
func (c curve) offset(i int, rate float64) float64 {
	j := i + 1
	if j == len(c.points) || c.points[j].rate == 0 {
		j = i - 1
	}
	p, q := c.points[i], c.points[j]
	slope := math.Log10(q.rate/p.rate) / (q.db - p.db) // negative
	return -math.Log10(rate/p.rate) / slope
}

var curves = []curve{
	{name: "RS(255,223)", unit: "FER", source: "AFF3CT", system: reedSolomon{16}, points: []point{
		{db: 6.0, rate: 4.95e-3}, {db: 6.2, rate: 7.78e-4, slow: true}, {db: 6.4, rate: 9.02e-5, slow: true}, {db: 6.6, rate: 8.40e-6, slow: true}}},
	{name: "RS(255,239)", unit: "FER", source: "AFF3CT", system: reedSolomon{8}, points: []point{
		{db: 6.4, rate: 2.85e-2}, {db: 6.6, rate: 8.85e-3}, {db: 7.0, rate: 4.76e-4, slow: true}}},
	{name: "LDPC(128,64)", unit: "FER", source: "AFF3CT", system: lowDensity{name: ldpc.TC64}, points: []point{
		{db: 3.0, rate: 4.96e-2}, {db: 4.0, rate: 1.52e-3}, {db: 4.5, rate: 2.07e-4, slow: true}, {db: 5.0, rate: 1.77e-5, slow: true}}},
	{name: "LDPC(512,256)", unit: "FER", source: "labrador-ldpc", system: lowDensity{name: ldpc.TC256}, points: []point{
		{db: 2.5, rate: 1.99e-2}, {db: 3.0, rate: 8.7e-4, slow: true}}},
	{name: "turbo(1784,1/3)", unit: "FER", source: "AFF3CT", system: parallel{1784, turbo.Rate13}, points: []point{
		{db: 0.5, rate: 1.60e-2, slow: true}, {db: 0.7, rate: 6.20e-4, slow: true}, {db: 0.8, rate: 8.09e-5, slow: true}}},
	{name: "conv(7,1/2)", unit: "BER", source: "libfec", system: convolutional{conv.Rate12}, points: []point{
		{db: 2.0, rate: 5.0e-3}, {db: 3.0, rate: 3.6e-4}, {db: 4.0, rate: 1.65e-5}}},

	{name: "conv(7,2/3)", unit: "BER", system: convolutional{conv.Rate23}, points: []point{{db: 4.5}}},
	{name: "conv(7,3/4)", unit: "BER", system: convolutional{conv.Rate34}, points: []point{{db: 4.9}}},
	{name: "conv(7,5/6)", unit: "BER", system: convolutional{conv.Rate56}, points: []point{{db: 5.5}}},
	{name: "conv(7,7/8)", unit: "BER", system: convolutional{conv.Rate78}, points: []point{{db: 6.0}}},
	{name: "conv(7,1/2)+RS(255,223)I5", unit: "FER", system: concatenated{conv.Rate12, 5}, points: []point{{db: 2.3}}, slow: true},
	{name: "LDPC(2048,1024)", unit: "FER", system: lowDensity{name: ldpc.TM1024R12}, points: []point{{db: 1.6}}, slow: true},
	{name: "LDPC(1536,1024)", unit: "FER", system: lowDensity{name: ldpc.TM1024R23}, points: []point{{db: 2.3}}, slow: true},
	{name: "LDPC(1280,1024)", unit: "FER", system: lowDensity{name: ldpc.TM1024R45}, points: []point{{db: 3.3}}, slow: true},
	{name: "LDPC(8192,4096)", unit: "FER", system: lowDensity{name: ldpc.TM4096R12}, points: []point{{db: 1.0}}, slow: true},
	{name: "LDPC(6144,4096)", unit: "FER", system: lowDensity{name: ldpc.TM4096R23}, points: []point{{db: 1.8}}, slow: true},
	{name: "LDPC(5120,4096)", unit: "FER", system: lowDensity{name: ldpc.TM4096R45}, points: []point{{db: 2.8}}, slow: true},
	{name: "LDPC(32768,16384)", unit: "FER", system: lowDensity{name: ldpc.TM16384R12}, points: []point{{db: 0.8}}, slow: true},
	{name: "LDPC(24576,16384)", unit: "FER", system: lowDensity{name: ldpc.TM16384R23}, points: []point{{db: 1.6}}, slow: true},
	{name: "LDPC(20480,16384)", unit: "FER", system: lowDensity{name: ldpc.TM16384R45}, points: []point{{db: 2.6}}, slow: true},
	{name: "LDPC(8160,7136)", unit: "FER", system: lowDensity{name: ldpc.TM7136R78}, points: []point{{db: 3.6}}, slow: true},
	{name: "turbo(1784,1/2)", unit: "FER", system: parallel{1784, turbo.Rate12}, points: []point{{db: 1.1}}, slow: true},
	{name: "turbo(1784,1/4)", unit: "FER", system: parallel{1784, turbo.Rate14}, points: []point{{db: 0.3}}, slow: true},
	{name: "turbo(1784,1/6)", unit: "FER", system: parallel{1784, turbo.Rate16}, points: []point{{db: 0.0}}, slow: true},
	{name: "turbo(8920,1/3)", unit: "FER", system: parallel{8920, turbo.Rate13}, points: []point{{db: 0.2}}, slow: true},
	{name: "turbo(3568,1/2)", unit: "FER", system: parallel{3568, turbo.Rate12}, points: []point{{db: 1.0}}, slow: true},
	{name: "turbo(8920,1/2)", unit: "FER", system: parallel{8920, turbo.Rate12}, points: []point{{db: 0.9}}, slow: true},
	{name: "turbo(8920,1/6)", unit: "FER", system: parallel{8920, turbo.Rate16}, points: []point{{db: 0.0}}, slow: true},
}
