//! What people are admitted for: how often, at what age, and what the laboratory then finds.

/// A diagnosis and the people who have it. Figures are of the usual order, not of any real hospital.
pub(super) struct Condition {
    /// ICD-10 code.
    pub(super) code: &'static str,
    /// How often, relative to the others.
    pub(super) weight: f64,
    /// Mean age and its deviation, years.
    pub(super) age_years: f64,
    pub(super) age_spread: f64,
    pub(super) female_share: f64,
    /// Median stay, days.
    pub(super) stay_days: f64,
    /// 0: all year alike; 1: hardly in summer.
    pub(super) winter: f64,
    /// Median serum creatinine, mg/dL.
    pub(super) creatinine: f64,
    /// Mean HbA1c, %.
    pub(super) hba1c: f64,
    /// Difference of the mean haemoglobin from a healthy one, g/dL.
    pub(super) haemoglobin_shift: f64,
    pub(super) medications: &'static [&'static str],
}

/// A condition with ordinary laboratory values.
const fn condition(
    code: &'static str,
    weight: f64,
    age_years: f64,
    age_spread: f64,
    female_share: f64,
    stay_days: f64,
    medications: &'static [&'static str],
) -> Condition {
    Condition {
        code,
        weight,
        age_years,
        age_spread,
        female_share,
        stay_days,
        winter: 0.1,
        creatinine: 0.9,
        hba1c: 5.5,
        haemoglobin_shift: 0.0,
        medications,
    }
}

/// The diagnoses of the hospital.
pub(super) const CONDITIONS: &[Condition] = &[
    Condition {
        winter: 0.3,
        creatinine: 1.3,
        haemoglobin_shift: -0.8,
        ..condition(
            "I50.0",
            9.0,
            77.0,
            10.0,
            0.50,
            7.0,
            &["furosemide", "bisoprolol", "spironolactone"],
        )
    },
    Condition {
        winter: 0.2,
        ..condition(
            "I21.4",
            6.0,
            68.0,
            12.0,
            0.35,
            5.0,
            &["aspirin", "atorvastatin", "ticagrelor"],
        )
    },
    condition(
        "I10",
        5.0,
        66.0,
        13.0,
        0.54,
        2.0,
        &["ramipril", "amlodipine", "hydrochlorothiazide"],
    ),
    condition(
        "I48.0",
        6.0,
        72.0,
        11.0,
        0.45,
        3.0,
        &["apixaban", "metoprolol", "amiodarone"],
    ),
    condition(
        "I63.9",
        6.0,
        73.0,
        12.0,
        0.48,
        8.0,
        &["clopidogrel", "aspirin", "alteplase"],
    ),
    Condition {
        hba1c: 8.4,
        creatinine: 1.1,
        ..condition(
            "E11.9",
            8.0,
            63.0,
            12.0,
            0.46,
            4.0,
            &["metformin", "sitagliptin", "insulin glargine"],
        )
    },
    Condition {
        hba1c: 8.9,
        creatinine: 1.4,
        ..condition(
            "E11.5",
            3.0,
            68.0,
            10.0,
            0.36,
            9.0,
            &["insulin glargine", "metformin", "empagliflozin"],
        )
    },
    Condition {
        hba1c: 8.8,
        ..condition(
            "E10.9",
            2.0,
            34.0,
            16.0,
            0.47,
            3.0,
            &["insulin aspart", "insulin glargine"],
        )
    },
    Condition {
        winter: 0.7,
        ..condition(
            "J18.9",
            8.0,
            70.0,
            18.0,
            0.45,
            6.0,
            &["amoxicillin", "ceftriaxone", "azithromycin"],
        )
    },
    Condition {
        winter: 0.6,
        ..condition(
            "J44.1",
            7.0,
            69.0,
            10.0,
            0.44,
            6.0,
            &["salbutamol", "prednisolone", "tiotropium"],
        )
    },
    Condition {
        winter: 0.8,
        ..condition("J21.0", 3.0, 0.8, 0.5, 0.44, 3.0, &["oxygen", "salbutamol"])
    },
    condition(
        "J45.9",
        3.0,
        28.0,
        20.0,
        0.55,
        2.0,
        &["budesonide", "salbutamol"],
    ),
    Condition {
        creatinine: 3.6,
        haemoglobin_shift: -2.6,
        ..condition(
            "N18.5",
            4.0,
            67.0,
            13.0,
            0.42,
            6.0,
            &["epoetin alfa", "sevelamer", "calcitriol"],
        )
    },
    Condition {
        creatinine: 2.4,
        ..condition(
            "N17.9",
            4.0,
            71.0,
            14.0,
            0.44,
            6.0,
            &["sodium bicarbonate", "furosemide"],
        )
    },
    condition(
        "N39.0",
        5.0,
        66.0,
        21.0,
        0.72,
        4.0,
        &["nitrofurantoin", "ciprofloxacin", "fosfomycin"],
    ),
    condition(
        "K35.8",
        4.0,
        30.0,
        17.0,
        0.45,
        3.0,
        &["cefuroxime", "metronidazole"],
    ),
    condition(
        "K80.2",
        5.0,
        55.0,
        16.0,
        0.63,
        3.0,
        &["diclofenac", "ursodeoxycholic acid"],
    ),
    Condition {
        haemoglobin_shift: -3.4,
        ..condition(
            "K92.2",
            3.0,
            69.0,
            15.0,
            0.45,
            5.0,
            &["pantoprazole", "tranexamic acid"],
        )
    },
    Condition {
        haemoglobin_shift: -1.6,
        ..condition(
            "C18.7",
            3.0,
            69.0,
            11.0,
            0.45,
            9.0,
            &["capecitabine", "oxaliplatin"],
        )
    },
    Condition {
        haemoglobin_shift: -0.8,
        ..condition(
            "C50.9",
            4.0,
            60.0,
            12.0,
            0.99,
            3.0,
            &["tamoxifen", "letrozole", "trastuzumab"],
        )
    },
    Condition {
        haemoglobin_shift: -1.2,
        ..condition(
            "C34.1",
            3.0,
            67.0,
            9.0,
            0.41,
            7.0,
            &["pembrolizumab", "cisplatin"],
        )
    },
    condition(
        "S72.0",
        5.0,
        81.0,
        9.0,
        0.72,
        10.0,
        &["enoxaparin", "paracetamol", "oxycodone"],
    ),
    condition(
        "S52.5",
        3.0,
        48.0,
        26.0,
        0.62,
        1.0,
        &["ibuprofen", "paracetamol"],
    ),
    condition(
        "M16.1",
        5.0,
        68.0,
        10.0,
        0.58,
        6.0,
        &["rivaroxaban", "naproxen"],
    ),
    condition(
        "M17.1",
        5.0,
        69.0,
        9.0,
        0.62,
        6.0,
        &["rivaroxaban", "etoricoxib"],
    ),
    Condition {
        haemoglobin_shift: -1.4,
        ..condition(
            "O80",
            9.0,
            31.0,
            5.0,
            1.0,
            3.0,
            &["oxytocin", "paracetamol"],
        )
    },
    condition(
        "F32.2",
        3.0,
        45.0,
        16.0,
        0.60,
        21.0,
        &["sertraline", "mirtazapine", "venlafaxine"],
    ),
    condition(
        "F10.2",
        3.0,
        48.0,
        12.0,
        0.28,
        9.0,
        &["diazepam", "thiamine", "acamprosate"],
    ),
    condition(
        "G40.9",
        2.0,
        38.0,
        22.0,
        0.48,
        3.0,
        &["levetiracetam", "lamotrigine"],
    ),
    Condition {
        haemoglobin_shift: -5.0,
        ..condition(
            "D50.9",
            2.0,
            58.0,
            21.0,
            0.66,
            2.0,
            &["ferric carboxymaltose", "ferrous sulfate"],
        )
    },
];
