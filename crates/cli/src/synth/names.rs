//! Names of people who do not exist.

use rand::Rng;
use rand::seq::IndexedRandom;

const WOMEN: &[&str] = &[
    "Ada", "Agnes", "Alma", "Amira", "Beata", "Carla", "Clara", "Dora", "Edith", "Elena", "Emilia",
    "Esther", "Fatima", "Greta", "Hanna", "Ida", "Ines", "Irma", "Jana", "Johanna", "Julia",
    "Karin", "Klara", "Leila", "Lena", "Lina", "Lotte", "Lucia", "Maja", "Maria", "Marta", "Mei",
    "Mina", "Nadia", "Nora", "Olga", "Paula", "Rosa", "Ruth", "Sara", "Selma", "Sofia", "Stella",
    "Tessa", "Thea", "Ursula", "Vera", "Yasmin", "Zara", "Zofia",
];
const MEN: &[&str] = &[
    "Adam", "Ali", "Anton", "Arne", "Bruno", "Carl", "Cem", "Daniel", "David", "Emil", "Erik",
    "Felix", "Finn", "Georg", "Hassan", "Henrik", "Hugo", "Ivan", "Jakob", "Jan", "Jonas", "Josef",
    "Karl", "Kofi", "Lars", "Leo", "Levi", "Lukas", "Marek", "Martin", "Mateo", "Max", "Mehmet",
    "Milan", "Nils", "Noah", "Omar", "Oskar", "Otto", "Paul", "Pavel", "Peter", "Ravi", "Simon",
    "Sven", "Theo", "Tomas", "Viktor", "Wei", "Yusuf",
];
const FAMILIES: &[&str] = &[
    "Acker", "Albers", "Amann", "Bach", "Barth", "Becker", "Berger", "Bianchi", "Blum", "Boateng",
    "Brandt", "Castro", "Chen", "Conti", "Costa", "Dahl", "Demir", "Dietz", "Dumont", "Ebner",
    "Engel", "Falk", "Ferrari", "Fischer", "Fuchs", "Garcia", "Graf", "Haas", "Hansen", "Hoffmann",
    "Horvat", "Ivanova", "Jansen", "Kaya", "Keller", "Kim", "Koch", "Kowalski", "Kruse", "Lang",
    "Larsen", "Lehmann", "Lindner", "Lopez", "Maier", "Marino", "Mendes", "Moser", "Nagy",
    "Nguyen", "Novak", "Olsen", "Ott", "Patel", "Petrov", "Popescu", "Reuter", "Richter", "Rossi",
    "Sato", "Schmid", "Schulz", "Seidel", "Silva", "Singh", "Sommer", "Stein", "Suzuki", "Tamm",
    "Toth", "Urban", "Vogel", "Wagner", "Weber", "Winter", "Wolf", "Yilmaz", "Zeller", "Ziegler",
    "Zimmer",
];

/// A given and a family name.
pub(super) fn name(random: &mut impl Rng, sex: &str) -> String {
    let given = if sex == "F" { WOMEN } else { MEN };
    let given = given.choose(random).expect("there are names");
    let family = FAMILIES.choose(random).expect("there are names");
    format!("{given} {family}")
}
